from engine.reach.formats import *
