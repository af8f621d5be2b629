from engine.service.of_rulesets import *
