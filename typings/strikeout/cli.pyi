from engine.cli import *
