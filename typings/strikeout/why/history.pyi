from engine.why.history import *
