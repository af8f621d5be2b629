from engine.ahead.acts import *
