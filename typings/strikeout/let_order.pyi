from engine.let_order import *
