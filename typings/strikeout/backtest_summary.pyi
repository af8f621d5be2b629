from engine.backtest_summary import *
