from engine.writing import *
