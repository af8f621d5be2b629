from engine.declare import *
