from engine.gate.selections import *
