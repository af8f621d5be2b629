from engine.names import *
