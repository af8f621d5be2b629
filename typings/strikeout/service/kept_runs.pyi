from engine.service.kept_runs import *
