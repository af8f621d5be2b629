from graphs.draw_words import *
