from engine.service.records import *
