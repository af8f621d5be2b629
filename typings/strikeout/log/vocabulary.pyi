from engine.log.vocabulary import *
