from engine.log.sqlite_tables import *
