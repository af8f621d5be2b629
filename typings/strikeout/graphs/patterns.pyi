from graphs.patterns import *
