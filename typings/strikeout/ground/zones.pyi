from engine.ground.zones import *
