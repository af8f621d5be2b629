from engine.gate.merge import *
