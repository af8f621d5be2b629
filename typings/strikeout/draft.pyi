from engine.draft import *
