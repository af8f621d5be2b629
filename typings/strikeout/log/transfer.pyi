from engine.log.transfer import *
