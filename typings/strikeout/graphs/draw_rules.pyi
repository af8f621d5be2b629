from graphs.draw_rules import *
