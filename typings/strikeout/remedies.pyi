from engine.remedies import *
