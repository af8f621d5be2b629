from engine.client.of_rulesets import *
