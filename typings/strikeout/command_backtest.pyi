from engine.command_backtest import *
