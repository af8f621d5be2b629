from engine.tree import *
