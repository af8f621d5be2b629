from engine.why.omissions import *
