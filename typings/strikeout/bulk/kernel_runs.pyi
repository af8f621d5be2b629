from engine.bulk.kernel_runs import *
