from engine.act_kinds import *
