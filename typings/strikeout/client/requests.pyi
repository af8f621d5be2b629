from engine.client.requests import *
