from engine.command_status import *
