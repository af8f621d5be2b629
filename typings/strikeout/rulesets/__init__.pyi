from rulesets import *
