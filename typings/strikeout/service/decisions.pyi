from engine.service.decisions import *
