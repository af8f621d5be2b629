from engine.notebook.extension import *
