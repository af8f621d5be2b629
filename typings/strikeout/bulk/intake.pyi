from engine.bulk.intake import *
