from engine.tell_remedies import *
