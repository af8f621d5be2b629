from engine.machine.compiled.program import *
