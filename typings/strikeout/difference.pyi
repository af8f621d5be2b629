from engine.difference import *
