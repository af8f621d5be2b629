from engine.service.events import *
