from engine.compiled import *
