from engine.commands.printing import *
