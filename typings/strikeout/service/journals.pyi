from engine.service.journals import *
