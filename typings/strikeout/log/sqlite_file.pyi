from engine.log.sqlite_file import *
