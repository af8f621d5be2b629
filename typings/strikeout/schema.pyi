from engine.schema import *
