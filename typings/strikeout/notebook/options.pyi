from engine.notebook.options import *
