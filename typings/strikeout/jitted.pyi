from engine.jitted import *
