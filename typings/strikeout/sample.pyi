from engine.sample import *
