from engine.compiled.by_arrays import *
