from engine.compiled.plan import *
