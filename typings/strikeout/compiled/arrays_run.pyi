from engine.compiled.arrays_run import *
