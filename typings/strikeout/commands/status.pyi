from engine.commands.status import *
