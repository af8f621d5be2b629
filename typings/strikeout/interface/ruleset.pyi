from engine.interface.ruleset import *
