from engine.spool import *
