from engine.service.keys import *
