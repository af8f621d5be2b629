from engine.commands.log import *
