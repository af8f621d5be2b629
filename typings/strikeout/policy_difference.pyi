from engine.policy_difference import *
