from engine.ahead.act_kinds import *
