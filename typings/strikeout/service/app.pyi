from engine.service.app import *
