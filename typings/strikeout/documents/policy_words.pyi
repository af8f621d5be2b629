from engine.documents.policy_words import *
