from engine.expressions import *
