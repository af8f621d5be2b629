from engine.log.postgres_tables import *
