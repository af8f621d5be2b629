from engine.why.explanation import *
