from engine.interface.conclusions import *
