from engine.log.appending import *
