from engine.cells import *
