from engine.gate.checks import *
