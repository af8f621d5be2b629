from engine.command_graph import *
