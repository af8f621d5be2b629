from engine.documents.examples import *
