from engine.comparison.policy_difference import *
