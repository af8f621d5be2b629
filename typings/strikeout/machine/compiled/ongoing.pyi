from engine.machine.compiled.ongoing import *
