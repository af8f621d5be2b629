from engine.drawings import *
