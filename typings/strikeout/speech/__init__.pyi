from engine.speech import *
