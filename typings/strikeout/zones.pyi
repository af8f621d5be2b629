from engine.zones import *
