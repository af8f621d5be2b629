from engine.log.snapshot import *
