from engine.service.problems import *
