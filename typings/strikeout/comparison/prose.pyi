from engine.comparison.prose import *
