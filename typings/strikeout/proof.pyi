from engine.proof import *
