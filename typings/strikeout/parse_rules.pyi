from engine.parse_rules import *
