from engine.backtest_columns import *
