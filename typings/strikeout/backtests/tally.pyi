from engine.backtests.tally import *
