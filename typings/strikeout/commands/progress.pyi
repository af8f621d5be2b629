from engine.commands.progress import *
