from engine.machine.rete import *
