from engine.reach.drawings import *
