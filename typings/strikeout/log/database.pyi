from engine.log.database import *
