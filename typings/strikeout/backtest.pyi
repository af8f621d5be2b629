from engine.backtest import *
