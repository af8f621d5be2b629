from engine.command_sample import *
