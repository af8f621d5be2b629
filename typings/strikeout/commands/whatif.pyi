from engine.commands.whatif import *
