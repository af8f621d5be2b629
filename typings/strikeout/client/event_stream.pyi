from engine.client.event_stream import *
