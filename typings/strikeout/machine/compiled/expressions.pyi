from engine.machine.compiled.expressions import *
