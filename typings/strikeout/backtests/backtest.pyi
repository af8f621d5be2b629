from engine.backtests.backtest import *
