from engine.gate.shapes import *
