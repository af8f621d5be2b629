from graphs.draw_layers import *
