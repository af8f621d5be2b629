from engine.ahead import *
