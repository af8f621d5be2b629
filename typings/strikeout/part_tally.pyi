from engine.part_tally import *
