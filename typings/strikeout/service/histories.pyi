from engine.service.histories import *
