from engine.machine.timeline import *
