from engine.comparison.policy_change import *
