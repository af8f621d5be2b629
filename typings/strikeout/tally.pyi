from engine.tally import *
