from engine.streaming import *
