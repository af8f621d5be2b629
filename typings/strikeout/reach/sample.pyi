from engine.reach.sample import *
