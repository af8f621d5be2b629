from engine.trials import *
