from engine.machine.compiled.bridge import *
