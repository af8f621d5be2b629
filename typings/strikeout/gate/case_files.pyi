from engine.gate.case_files import *
