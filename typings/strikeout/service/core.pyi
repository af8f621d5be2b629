from engine.service.core import *
