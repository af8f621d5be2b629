from engine.service.of_health import *
