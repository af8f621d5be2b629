from engine.timeline import *
