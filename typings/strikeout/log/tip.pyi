from engine.log.tip import *
