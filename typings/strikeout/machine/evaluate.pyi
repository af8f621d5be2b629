from engine.machine.evaluate import *
