from engine.documents.as_written import *
