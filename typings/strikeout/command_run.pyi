from engine.command_run import *
