from engine.picture import *
