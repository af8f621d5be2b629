from engine.ahead.goals import *
