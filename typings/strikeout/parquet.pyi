from engine.parquet import *
