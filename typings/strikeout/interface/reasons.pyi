from engine.interface.reasons import *
