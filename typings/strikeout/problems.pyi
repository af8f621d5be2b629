from engine.problems import *
