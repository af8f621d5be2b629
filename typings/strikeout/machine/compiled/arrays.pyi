from engine.machine.compiled.arrays import *
