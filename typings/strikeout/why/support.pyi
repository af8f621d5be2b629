from engine.why.support import *
