from engine.tell_values import *
