from engine.log.errors import *
