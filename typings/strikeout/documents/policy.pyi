from engine.documents.policy import *
