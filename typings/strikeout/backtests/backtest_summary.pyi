from engine.backtests.backtest_summary import *
