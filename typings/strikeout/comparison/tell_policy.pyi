from engine.comparison.tell_policy import *
