from engine.speech.overview import *
