from engine.why.proof_json import *
