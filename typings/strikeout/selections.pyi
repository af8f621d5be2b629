from engine.selections import *
