from engine.interface.runs import *
