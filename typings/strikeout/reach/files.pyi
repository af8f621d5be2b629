from engine.reach.files import *
