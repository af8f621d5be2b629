from engine.client.keys import *
