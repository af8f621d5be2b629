from engine.bulk.csv_blocks import *
