from engine.goals import *
