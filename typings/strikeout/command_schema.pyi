from engine.command_schema import *
