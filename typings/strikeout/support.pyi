from engine.support import *
