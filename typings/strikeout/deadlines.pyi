from engine.deadlines import *
