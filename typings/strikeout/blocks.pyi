from engine.blocks import *
