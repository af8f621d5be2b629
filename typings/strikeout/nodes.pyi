from engine.nodes import *
