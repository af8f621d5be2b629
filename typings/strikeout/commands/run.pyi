from engine.commands.run import *
