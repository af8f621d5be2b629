from engine.ahead.tell_difference import *
