from engine.ahead.tell_deadlines import *
