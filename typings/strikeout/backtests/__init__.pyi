from engine.backtests import *
