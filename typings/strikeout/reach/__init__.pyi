from engine.reach import *
