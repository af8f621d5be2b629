from engine.json_blocks import *
