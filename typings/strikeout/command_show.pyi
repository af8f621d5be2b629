from engine.command_show import *
