from engine.log.postgres import *
