from engine.service.texts import *
