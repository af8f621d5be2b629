from engine.log.bundle import *
