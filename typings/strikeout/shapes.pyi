from engine.shapes import *
