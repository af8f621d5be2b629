from engine.ahead.remedies import *
