from engine.ahead.tell_remedies import *
