from engine.drawing import *
