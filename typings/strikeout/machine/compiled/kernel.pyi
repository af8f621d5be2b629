from engine.machine.compiled.kernel import *
