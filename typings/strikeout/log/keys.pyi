from engine.log.keys import *
