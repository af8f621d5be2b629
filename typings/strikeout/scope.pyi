from engine.scope import *
