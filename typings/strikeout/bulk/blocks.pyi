from engine.bulk.blocks import *
