from engine.compiled.columns import *
