from engine.commands.show import *
