"""Ground: what is wrong and where, exact numbers, times, periods and calendars."""
