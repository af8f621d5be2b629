from engine.ground import *
