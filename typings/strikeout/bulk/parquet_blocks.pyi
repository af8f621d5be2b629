from engine.bulk.parquet_blocks import *
