from engine.formats import *
