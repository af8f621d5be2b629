from engine.client.retries import *
