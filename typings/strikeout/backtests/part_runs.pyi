from engine.backtests.part_runs import *
