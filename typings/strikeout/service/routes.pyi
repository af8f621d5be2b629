from engine.service.routes import *
