from engine.known import *
