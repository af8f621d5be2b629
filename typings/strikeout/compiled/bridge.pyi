from engine.compiled.bridge import *
