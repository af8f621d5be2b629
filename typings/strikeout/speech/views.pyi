from engine.speech.views import *
