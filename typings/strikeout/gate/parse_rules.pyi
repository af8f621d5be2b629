from engine.gate.parse_rules import *
