from engine.pictures import *
