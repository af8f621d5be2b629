from engine.machine.compiled.arrays_layout import *
