from engine.service.limits import *
