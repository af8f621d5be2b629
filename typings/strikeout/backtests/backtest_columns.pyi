from engine.backtests.backtest_columns import *
