from engine.compiled.steps import *
