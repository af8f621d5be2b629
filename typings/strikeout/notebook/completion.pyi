from engine.notebook.completion import *
