from engine.speech.fates import *
