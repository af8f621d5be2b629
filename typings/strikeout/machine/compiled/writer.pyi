from engine.machine.compiled.writer import *
