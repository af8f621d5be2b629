from engine.backtests.charts import *
