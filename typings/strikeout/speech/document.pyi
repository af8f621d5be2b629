from engine.speech.document import *
