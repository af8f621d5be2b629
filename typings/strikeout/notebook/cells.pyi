from engine.notebook.cells import *
