from engine.reach.tables import *
