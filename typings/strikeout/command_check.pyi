from engine.command_check import *
