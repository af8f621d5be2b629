from engine.speech.outcome import *
