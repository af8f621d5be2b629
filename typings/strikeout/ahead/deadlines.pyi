from engine.ahead.deadlines import *
