from engine.backtests.backtest_tables import *
