from engine.bulk.columns import *
