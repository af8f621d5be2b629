from engine.pictures.picture_firings import *
