from engine.why.answer import *
