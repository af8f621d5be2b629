from engine.charts import *
