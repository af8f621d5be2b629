from engine.proof_json import *
