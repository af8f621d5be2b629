from engine.questions import *
