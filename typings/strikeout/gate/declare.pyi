from engine.gate.declare import *
