from engine.why.tree import *
