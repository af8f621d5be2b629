from graphs.draw_svg import *
