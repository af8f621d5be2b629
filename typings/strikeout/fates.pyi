from engine.fates import *
