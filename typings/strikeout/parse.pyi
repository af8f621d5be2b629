from engine.parse import *
