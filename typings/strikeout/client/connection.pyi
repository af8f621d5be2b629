from engine.client.connection import *
