from graphs.draw_text import *
