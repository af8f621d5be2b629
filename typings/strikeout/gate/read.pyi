from engine.gate.read import *
