from engine.bulk import *
