from engine.notebook.case_page import *
