from engine.log.sqlite import *
