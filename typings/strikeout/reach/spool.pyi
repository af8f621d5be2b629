from engine.reach.spool import *
