from engine.client.of_subjects import *
