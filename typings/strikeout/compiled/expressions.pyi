from engine.compiled.expressions import *
