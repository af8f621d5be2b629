from engine.machine.compiled.helpers import *
