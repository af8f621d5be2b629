from engine.gate.case_facts import *
