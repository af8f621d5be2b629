from engine.client.watch import *
