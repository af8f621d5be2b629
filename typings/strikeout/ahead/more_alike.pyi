from engine.ahead.more_alike import *
