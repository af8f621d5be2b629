from engine.bulk.batches import *
