from engine.reach.drawing import *
