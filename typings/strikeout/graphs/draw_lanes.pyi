from graphs.draw_lanes import *
