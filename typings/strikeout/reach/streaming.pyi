from engine.reach.streaming import *
