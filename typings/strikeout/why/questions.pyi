from engine.why.questions import *
