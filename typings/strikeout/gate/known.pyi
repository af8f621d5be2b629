from engine.gate.known import *
