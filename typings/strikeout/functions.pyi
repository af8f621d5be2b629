from engine.functions import *
