from engine.client.of_facts import *
