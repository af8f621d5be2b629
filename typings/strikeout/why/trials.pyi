from engine.why.trials import *
