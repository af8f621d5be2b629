from engine.gate.draft import *
