from engine.durable import *
