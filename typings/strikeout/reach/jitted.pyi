from engine.reach.jitted import *
