from engine.case_model import *
