from engine.views import *
