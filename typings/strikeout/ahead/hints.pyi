from engine.ahead.hints import *
