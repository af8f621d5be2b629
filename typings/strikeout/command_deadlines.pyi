from engine.command_deadlines import *
