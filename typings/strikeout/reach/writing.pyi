from engine.reach.writing import *
