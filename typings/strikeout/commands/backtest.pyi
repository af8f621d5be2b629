from engine.commands.backtest import *
