from engine.pictures.picture_rules import *
