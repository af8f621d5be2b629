from engine.machine.compiled.steps import *
