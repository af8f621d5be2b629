from engine.service.metrics import *
