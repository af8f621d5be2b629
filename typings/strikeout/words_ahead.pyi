from engine.words_ahead import *
