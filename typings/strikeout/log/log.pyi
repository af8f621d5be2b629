from engine.log.log import *
