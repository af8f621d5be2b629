from engine.why.tell import *
