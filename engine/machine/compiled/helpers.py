"""What generated code calls in plain Python: the zone and the calendar, and the least or greatest of a window."""

from __future__ import annotations

from bisect import bisect_left
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
    """The least or the greatest value from any place on, up to the end of an earlier step or to the newest fact.

    Facts of earlier steps lie on a stack of candidates, each better than all after it.
    """

    __slots__ = ("_best", "_merged", "_places", "_stack", "_steps", "_values")

    def __init__(self, best: Callable[[int, int], int]) -> None:
        self._best = best
        self._steps: list[int] = []
        self._values: list[int | None] = []
        self._places: list[int] = []
        self._stack: list[int] = []
        self._merged = 0

    def add(self, value: int | None, step: int) -> None:
        """Add the value of the newest fact, None where it is missing."""
        self._steps.append(step)
        self._values.append(value)

    def best(self, low: int, high: int) -> int | None:
        """The best value from place `low` up to `high`; None where there is none."""
        if high <= low:
            return None
        newest = bisect_left(self._steps, self._steps[-1])
        while self._merged < newest:
            value = self._values[self._merged]
            if value is not None:
                while self._stack and self._best(value, self._stack[-1]) == value:
                    self._stack.pop()
                    self._places.pop()
                self._stack.append(value)
                self._places.append(self._merged)
            self._merged += 1
        found: int | None = None
        if low < self._merged:
            first = bisect_left(self._places, low)
            found = self._stack[first] if first < len(self._stack) else None
        for value in self._values[max(low, self._merged) : high]:
            if value is not None:
                found = value if found is None else self._best(found, value)
        return found


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
        "NEVER": NEVER,
        "NOT_WORKED": NOT_WORKED,
        "LONG_AGO": LONG_AGO,
        "Extreme": Extreme,
        "start_of_day": zone.start_of_day,
        "start_of_month": zone.start_of_month,
        "start_of_year": zone.start_of_year,
        "add_dates": add("dates"),
        "add_months": add("months"),
        "add_workdays": add("workdays"),
        "window_of_dates": lambda at, count, inclusive: dates_window_start(zone, at, count, inclusive),
        "window_of_months": lambda at, count: window_start(zone, at, Period("months", count)),
    }
