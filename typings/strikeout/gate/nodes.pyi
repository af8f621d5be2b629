from engine.gate.nodes import *
