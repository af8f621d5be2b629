from engine.reach.parquet import *
