from engine.gate.meanings import *
