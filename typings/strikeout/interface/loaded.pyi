from engine.interface.loaded import *
