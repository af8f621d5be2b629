from engine.speech.card import *
