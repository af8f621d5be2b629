from engine.rete import *
