from engine.calendars import *
