from engine.machine.compiled.plain import *
