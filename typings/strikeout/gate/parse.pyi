from engine.gate.parse import *
