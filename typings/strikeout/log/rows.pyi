from engine.log.rows import *
