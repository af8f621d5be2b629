from engine.command_test import *
