from engine.machine.rules import *
