from engine.history import *
