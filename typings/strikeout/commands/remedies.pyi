from engine.commands.remedies import *
