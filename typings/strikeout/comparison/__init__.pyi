from engine.comparison import *
