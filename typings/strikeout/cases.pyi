from engine.cases import *
