from engine.resolve import *
