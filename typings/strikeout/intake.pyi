from engine.intake import *
