from engine.machine.compiled.arrays_values import *
