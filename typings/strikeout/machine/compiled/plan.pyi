from engine.machine.compiled.plan import *
