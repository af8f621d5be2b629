from engine.commands.check import *
