from engine.progress import *
