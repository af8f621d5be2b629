from engine.commands.completion import *
