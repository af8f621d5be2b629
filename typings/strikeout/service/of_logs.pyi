from engine.service.of_logs import *
