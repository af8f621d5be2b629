from engine.columns import *
