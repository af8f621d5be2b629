from engine.service.bodies import *
