from engine.backtest_page import *
