from engine.why.tell_values import *
