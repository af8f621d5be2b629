from engine.log.stores import *
