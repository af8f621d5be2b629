from engine.interface import *
