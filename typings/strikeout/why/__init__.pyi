from engine.why import *
