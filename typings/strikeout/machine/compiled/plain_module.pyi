from engine.machine.compiled.plain_module import *
