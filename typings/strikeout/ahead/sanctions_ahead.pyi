from engine.ahead.sanctions_ahead import *
