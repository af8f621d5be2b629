from engine.machine.durable import *
