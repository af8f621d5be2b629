from engine.ground.calendars import *
