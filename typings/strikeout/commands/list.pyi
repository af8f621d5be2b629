from engine.commands.list import *
