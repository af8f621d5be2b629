from engine.bulk.json_blocks import *
