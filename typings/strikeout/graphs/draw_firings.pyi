from graphs.draw_firings import *
