from engine.machine.compiled.plain_values import *
