from engine.gate import *
