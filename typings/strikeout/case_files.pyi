from engine.case_files import *
