from engine.service import *
