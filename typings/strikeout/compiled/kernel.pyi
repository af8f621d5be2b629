from engine.compiled.kernel import *
