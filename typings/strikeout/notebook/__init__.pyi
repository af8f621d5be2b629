from engine.notebook import *
