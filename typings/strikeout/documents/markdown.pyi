from engine.documents.markdown import *
