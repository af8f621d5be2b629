from engine.amend import *
