from engine.case_facts import *
