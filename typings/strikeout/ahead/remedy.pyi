from engine.ahead.remedy import *
