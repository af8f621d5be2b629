from engine.sanctions_ahead import *
