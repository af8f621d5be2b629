from engine.compiled.helpers import *
