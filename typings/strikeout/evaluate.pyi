from engine.evaluate import *
