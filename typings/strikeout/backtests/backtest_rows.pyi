from engine.backtests.backtest_rows import *
