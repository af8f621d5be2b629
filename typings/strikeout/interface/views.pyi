from engine.interface.views import *
