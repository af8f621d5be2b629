"""What generated code calls in plain Python: the zone and the calendar, and the least or greatest of a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strikeout.ground.calendars import Calendar
from strikeout.ground.values import (
    ArithmeticFault,
    Period,
    PeriodUnit,
    Zone,
    add_period,
    dates_window_start,
    window_start,
)

NEVER = -(2**63)
"""The instant that does not exist: a result beyond the years 1 to 9999."""

NOT_WORKED = NEVER + 1
"""The instant that does not exist because the calendar does not know its days."""

LONG_AGO = -(2**70)
"""Before every window."""


class Extreme:
    """The least or the greatest value between any two places, and the newest value can be taken back.

    Tables hold the best of 2, 4, 8… values from each place on; each is made as far as it has been asked for.
    """

    __slots__ = ("_best", "_tables")

    def __init__(self, best: Callable[[int, int], int]) -> None:
        self._best = best
        self._tables: list[list[int | None]] = [[]]

    def append(self, value: int | None) -> None:
        """Add the value of the newest fact, None where it is missing."""
        self._tables[0].append(value)

    def pop(self) -> None:
        """Take back the value of the newest fact."""
        left = len(self._tables[0]) - 1
        for power, table in enumerate(self._tables):
            del table[max(left + 1 - (1 << power), 0) :]

    def best(self, low: int, high: int) -> int | None:
        """The best value from place `low` up to `high`; None where there is none."""
        if high <= low:
            return None
        power = (high - low).bit_length() - 1
        for half in range(power):
            if half + 1 == len(self._tables):
                self._tables.append([])
            inner, table = self._tables[half], self._tables[half + 1]
            for place in range(len(table), len(inner) - (1 << half)):
                table.append(self._better(inner[place], inner[place + (1 << half)]))
        return self._better(self._tables[power][low], self._tables[power][high - (1 << power)])

    def _better(self, one: int | None, other: int | None) -> int | None:
        if one is None or other is None:
            return other if one is None else one
        return self._best(one, other)


def arithmetic(zone: Zone, calendar: Calendar | None) -> dict[str, Any]:
    """The functions of times that generated code calls, for a zone and a calendar.

    Each gives `NEVER` where the result lies beyond the years 1 to 9999, and `add_workdays` gives `NOT_WORKED` where
    the calendar does not know the days.
    """

    def add(unit: PeriodUnit) -> Callable[[int, int], int]:
        def shifted(instant: int, count: int) -> int:
            sign = 1 if count >= 0 else -1
            try:
                return add_period(zone, calendar, instant, Period(unit, abs(count)), 1 if sign > 0 else -1)
            except ArithmeticFault as fault:
                return NEVER if str(fault).startswith("overflow") else NOT_WORKED

        return shifted

    return {
        "start_of_day": zone.start_of_day,
        "start_of_month": zone.start_of_month,
        "start_of_year": zone.start_of_year,
        "add_dates": add("dates"),
        "add_months": add("months"),
        "add_workdays": add("workdays"),
        "window_of_dates": lambda at, count, inclusive: dates_window_start(zone, at, count, inclusive),
        "window_of_months": lambda at, count: window_start(zone, at, Period("months", count)),
    }
