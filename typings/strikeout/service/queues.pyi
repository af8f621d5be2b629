from engine.service.queues import *
