from engine.client.clients import *
