from engine.gate.scope import *
