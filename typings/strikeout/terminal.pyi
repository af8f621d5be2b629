from engine.terminal import *
