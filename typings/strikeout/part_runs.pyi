from engine.part_runs import *
