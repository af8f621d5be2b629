from engine.commands.schema import *
