from engine.prose import *
