from engine.commands.reading import *
