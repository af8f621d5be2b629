from engine.bulk.cells import *
