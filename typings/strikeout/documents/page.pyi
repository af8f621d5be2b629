from engine.documents.page import *
