from engine.service.table import *
