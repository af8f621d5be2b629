from engine.machine.compiled.by_arrays import *
