from engine.standing import *
