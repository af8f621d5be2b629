from engine.pictures.windows import *
