from engine.service.server import *
