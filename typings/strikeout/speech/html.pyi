from engine.speech.html import *
