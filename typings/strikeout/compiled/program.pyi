from engine.compiled.program import *
