from engine.ahead.words_ahead import *
