from engine.commands.serve import *
