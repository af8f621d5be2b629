from engine.notebook.problem_page import *
