from engine.commands.test import *
