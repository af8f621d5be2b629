from engine.client.errors import *
