from engine.client.asking import *
