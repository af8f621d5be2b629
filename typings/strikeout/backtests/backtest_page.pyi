from engine.backtests.backtest_page import *
