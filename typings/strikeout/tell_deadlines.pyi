from engine.tell_deadlines import *
