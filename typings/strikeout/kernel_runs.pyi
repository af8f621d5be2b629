from engine.kernel_runs import *
