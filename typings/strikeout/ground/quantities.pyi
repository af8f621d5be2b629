from engine.ground.quantities import *
