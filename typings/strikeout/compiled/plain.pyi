from engine.compiled.plain import *
