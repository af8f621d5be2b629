from engine.command_new import *
