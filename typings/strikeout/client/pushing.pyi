from engine.client.pushing import *
