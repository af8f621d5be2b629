from engine.command_explain import *
