from engine.gate.schema import *
