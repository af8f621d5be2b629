from engine.reach.library import *
