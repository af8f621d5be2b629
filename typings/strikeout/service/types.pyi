from engine.service.types import *
