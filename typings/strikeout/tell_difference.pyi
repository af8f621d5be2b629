from engine.tell_difference import *
