from engine.service.protocol import *
