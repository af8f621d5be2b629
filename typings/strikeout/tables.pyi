from engine.tables import *
