from engine.compiled.arrays import *
