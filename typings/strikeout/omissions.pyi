from engine.omissions import *
