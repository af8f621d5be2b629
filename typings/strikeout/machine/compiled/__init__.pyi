from engine.machine.compiled import *
