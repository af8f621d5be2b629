from engine.machine.compiled.runtime import *
