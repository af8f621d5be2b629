from engine.interface.bundles import *
