from engine.command_list import *
