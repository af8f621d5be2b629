from engine.icalendar import *
