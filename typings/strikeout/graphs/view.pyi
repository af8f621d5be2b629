from graphs.view import *
