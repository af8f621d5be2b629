from engine.log.records import *
