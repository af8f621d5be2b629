from engine.tell_policy import *
