from engine.policy_change import *
