from graphs.measures import *
