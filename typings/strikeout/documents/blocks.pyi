from engine.documents.blocks import *
