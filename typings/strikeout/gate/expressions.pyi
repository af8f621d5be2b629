from engine.gate.expressions import *
