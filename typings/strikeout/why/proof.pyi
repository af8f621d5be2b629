from engine.why.proof import *
