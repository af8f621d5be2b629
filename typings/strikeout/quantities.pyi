from engine.quantities import *
