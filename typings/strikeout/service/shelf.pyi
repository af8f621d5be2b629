from engine.service.shelf import *
