from engine.client import *
