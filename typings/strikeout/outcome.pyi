from engine.outcome import *
