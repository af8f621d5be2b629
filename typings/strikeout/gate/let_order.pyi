from engine.gate.let_order import *
