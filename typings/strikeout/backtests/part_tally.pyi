from engine.backtests.part_tally import *
