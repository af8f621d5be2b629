from engine.backtest_rows import *
