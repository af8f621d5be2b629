from engine.refused import *
