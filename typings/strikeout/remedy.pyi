from engine.remedy import *
