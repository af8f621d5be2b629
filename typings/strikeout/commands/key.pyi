from engine.commands.key import *
