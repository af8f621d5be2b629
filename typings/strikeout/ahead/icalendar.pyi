from engine.ahead.icalendar import *
