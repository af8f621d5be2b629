from engine.service.streams import *
