from engine.interface.prospects import *
