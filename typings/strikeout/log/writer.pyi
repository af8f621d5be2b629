from engine.log.writer import *
