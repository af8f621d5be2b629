from graphs.draw_timeline import *
