from engine.picture_firings import *
