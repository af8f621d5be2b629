from engine.commands.names import *
