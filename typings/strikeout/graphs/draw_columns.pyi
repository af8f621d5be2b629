from graphs.draw_columns import *
