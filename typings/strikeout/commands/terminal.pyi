from engine.commands.terminal import *
