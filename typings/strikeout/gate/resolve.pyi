from engine.gate.resolve import *
