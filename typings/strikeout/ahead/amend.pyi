from engine.ahead.amend import *
