from engine.command_remedies import *
