from engine.command_diff import *
