from engine.client.calls import *
