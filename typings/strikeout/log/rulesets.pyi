from engine.log.rulesets import *
