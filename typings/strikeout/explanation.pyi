from engine.explanation import *
