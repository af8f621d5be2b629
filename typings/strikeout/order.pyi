from engine.order import *
