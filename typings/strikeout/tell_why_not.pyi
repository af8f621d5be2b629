from engine.tell_why_not import *
