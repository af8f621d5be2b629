from engine.reading import *
