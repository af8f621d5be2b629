from engine.library import *
