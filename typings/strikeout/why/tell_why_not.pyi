from engine.why.tell_why_not import *
