from engine.html import *
