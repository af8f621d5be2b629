from engine.parquet_blocks import *
