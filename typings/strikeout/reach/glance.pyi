from engine.reach.glance import *
