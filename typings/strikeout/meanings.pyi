from engine.meanings import *
