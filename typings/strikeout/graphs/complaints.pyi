from graphs.complaints import *
