from engine.ahead.difference import *
