from engine.compiled.runtime import *
