from engine.merge import *
