from engine.words import *
