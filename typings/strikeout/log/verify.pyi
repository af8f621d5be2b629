from engine.log.verify import *
