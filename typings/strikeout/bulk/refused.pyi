from engine.bulk.refused import *
