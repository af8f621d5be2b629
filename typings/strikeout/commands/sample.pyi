from engine.commands.sample import *
