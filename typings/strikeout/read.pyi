from engine.read import *
