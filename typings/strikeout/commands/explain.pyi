from engine.commands.explain import *
