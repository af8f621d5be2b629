from engine.document import *
