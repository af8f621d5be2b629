from engine.windows import *
