from engine.ground.problems import *
