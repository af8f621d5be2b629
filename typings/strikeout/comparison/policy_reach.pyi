from engine.comparison.policy_reach import *
