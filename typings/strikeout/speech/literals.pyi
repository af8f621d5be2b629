from engine.speech.literals import *
