from engine.why.words import *
