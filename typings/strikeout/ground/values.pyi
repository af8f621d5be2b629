from engine.ground.values import *
