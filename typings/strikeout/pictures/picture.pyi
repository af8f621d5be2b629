from engine.pictures.picture import *
