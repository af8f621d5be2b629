from engine.pictures.picture_timeline import *
