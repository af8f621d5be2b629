from engine.commands.push import *
