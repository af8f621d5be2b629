from engine.gate.check import *
