from engine.commands.graph import *
