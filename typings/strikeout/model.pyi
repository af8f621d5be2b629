from engine.model import *
