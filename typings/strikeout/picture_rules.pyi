from engine.picture_rules import *
