from engine.policy_reach import *
