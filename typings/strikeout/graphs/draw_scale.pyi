from graphs.draw_scale import *
