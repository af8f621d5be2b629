from engine.commands.diff import *
