from engine.gate.case_model import *
