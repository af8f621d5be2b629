from engine.command_completion import *
