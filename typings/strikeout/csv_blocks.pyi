from engine.csv_blocks import *
