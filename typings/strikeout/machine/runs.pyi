from engine.machine.runs import *
