from engine.compiled.writer import *
