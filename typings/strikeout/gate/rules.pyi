from engine.gate.rules import *
