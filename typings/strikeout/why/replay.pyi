from engine.why.replay import *
