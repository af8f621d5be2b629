from engine.printing import *
