from engine.documents import *
