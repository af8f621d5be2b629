from engine.command_whatif import *
