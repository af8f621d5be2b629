from engine.picture_timeline import *
