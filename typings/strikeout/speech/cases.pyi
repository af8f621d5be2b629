from engine.speech.cases import *
