from engine.tell import *
