from engine.commands.deadlines import *
