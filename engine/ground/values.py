"""The arithmetic of the language (semantics 10): periods, what they add to a time, and where windows begin.

The door to the rooms beside it too: exact integers, durations and dates (`quantities`), time zones (`zones`).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from .calendars import Calendar
from .quantities import (
    DAY,
    EPOCH_ORDINAL,
    HOUR,
    INSTANT_MAX,
    INSTANT_MIN,
    INTEGER_MAX,
    INTEGER_MIN,
    MICROSECOND,
    MINUTE,
    SECOND,
    WEEK,
    ArithmeticFault,
    Day,
    Duration,
    Instant,
    checked_duration,
    checked_integer,
    floor_divide,
    format_date,
    format_duration,
    modulo,
    parse_date,
    parse_duration,
    shown,
)
from .zones import Zone

__all__ = [
    "DAY",
    "HOUR",
    "INSTANT_MAX",
    "INSTANT_MIN",
    "INTEGER_MAX",
    "INTEGER_MIN",
    "MICROSECOND",
    "MINUTE",
    "SECOND",
    "WEEK",
    "ArithmeticFault",
    "Day",
    "Duration",
    "Instant",
    "Period",
    "PeriodUnit",
    "Zone",
    "add_period",
    "checked_duration",
    "checked_integer",
    "dates_window_start",
    "floor_divide",
    "format_date",
    "format_duration",
    "format_period",
    "modulo",
    "parse_date",
    "parse_duration",
    "parse_period",
    "window_start",
]

PeriodUnit: TypeAlias = Literal["workdays", "dates", "months"]

_PERIOD = re.compile(r"(-?)([0-9]+) +(workday|date|month|year)s?")


@dataclass(frozen=True, slots=True)
class Period:
    """A span that only a local calendar can measure: so many working days, dates or months.

    A year is twelve months. Working days are one or more; dates and months may be of either sign. A
    `ValueError` refuses other working days, and counts beyond 64 bits.
    """

    unit: PeriodUnit
    count: int

    def __post_init__(self) -> None:
        if not INTEGER_MIN <= self.count <= INTEGER_MAX:
            raise ValueError(f"a period of {self.unit} beyond 64 bits")
        if self.unit == "workdays" and self.count < 1:
            raise ValueError(f"`{self.count} workdays` is not one working day or more")

    def __str__(self) -> str:
        return format_period(self)


def parse_period(text: str) -> Period:
    """Read a period: `3 workdays`, `5 dates`, `2 months`, `1 year`, each noun with or without its `s`.

    Raises
    ------
    ValueError
        If the text is no period, or one that cannot be (see `Period`).

    Examples
    --------
    >>> parse_period("1 year")
    Period(unit='months', count=12)
    """
    found = _PERIOD.fullmatch(text)
    if not found:
        raise ValueError(f"{shown(text)} is not a period, such as `3 workdays`, `5 dates` or `2 months`")
    sign, digits, noun = found.groups()
    if len(digits.lstrip("0")) > 19:
        raise ValueError(f"{shown(text)} is beyond 64 bits")
    count = -int(digits) if sign else int(digits)
    if noun == "year":
        return Period("months", count * 12)
    return Period("workdays" if noun == "workday" else "dates" if noun == "date" else "months", count)


def format_period(period: Period) -> str:
    """Write a period as the language does; whole years as years, so that reading it gives the same period.

    Examples
    --------
    >>> format_period(Period("months", 24)), format_period(Period("workdays", 1))
    ('2 years', '1 workday')
    """
    count, noun = period.count, period.unit.removesuffix("s")
    if noun == "month" and count and count % 12 == 0:
        count, noun = count // 12, "year"
    return f"{count} {noun}" if abs(count) == 1 else f"{count} {noun}s"


def add_period(
    zone: Zone, calendar: Calendar | None, instant: Instant, period: Period, sign: Literal[1, -1] = 1
) -> Instant:
    """The operators time + period and time - period (semantics 10).

    Dates, months and years move the local date and keep the clock; a day that the month does not have becomes
    its last. Working days lead to the end (24:00, local) of the last of them, counted from the day after.

    Parameters
    ----------
    zone : Zone
        The ruleset's time zone.
    calendar : Calendar or None
        The ruleset's calendar; only working days need it.
    instant : Instant
        The time.
    period : Period
        What is added to it.
    sign : 1 or -1
        -1 to subtract.

    Raises
    ------
    ArithmeticFault
        If the result lies outside the years 1 to 9999, or the count leaves the days that the calendar knows.
    ValueError
        If working days are subtracted, or counted without a calendar.

    Examples
    --------
    >>> zone = Zone.load("Asia/Shanghai")
    >>> zone.format(add_period(zone, None, zone.parse("2015-01-31T09:30"), Period("months", 1)))
    '2015-02-28T09:30:00+08:00'
    """
    day, clock = zone.local(instant)
    if period.unit == "workdays":
        if sign != 1:
            raise ValueError(f"`{period}` can be added to a time, but not subtracted")
        if calendar is None:
            raise ValueError(f"`{period}` needs a calendar of working days")
        last = calendar.nth_working_day_after(zone.date(instant), period.count)
        return zone.checked_instant(zone.begin(last + 1))
    if period.unit == "dates":
        return zone.instant(day + sign * period.count, clock)
    start = date.fromordinal(day + EPOCH_ORDINAL)
    year, month = divmod(start.year * 12 + start.month - 1 + sign * period.count, 12)
    if not 1 <= year <= 9999:
        raise ArithmeticFault("overflow: a time outside the years 1 to 9999")
    target = date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))
    return zone.instant(target.toordinal() - EPOCH_ORDINAL, clock)


def window_start(zone: Zone, instant: Instant, length: Duration | Period) -> int:
    """Where `within LENGTH` begins: the instant minus a duration, or minus months or years.

    What lies after it is in the window; with `inclusive`, what lies at it too. A window is no time and cannot
    overflow: one that would begin outside the years 1 to 9999 begins just before them all, or just after.

    Parameters
    ----------
    zone : Zone
        The ruleset's time zone.
    instant : Instant
        Now.
    length : Duration or Period
        Microseconds, or months. (Dates have a function of their own, `dates_window_start`.)

    Raises
    ------
    ValueError
        If `length` is a period of dates or working days.

    Examples
    --------
    >>> zone = Zone.load("Asia/Shanghai")
    >>> zone.format(window_start(zone, zone.parse("2015-03-31"), Period("months", 1)))
    '2015-02-28T00:00:00+08:00'
    """
    if not isinstance(length, Period):
        return _bounded(instant - length)
    if length.unit != "months":
        raise ValueError(f"`{length}` is not a length that a time can be moved back by")
    try:
        return add_period(zone, None, instant, length, -1)
    except ArithmeticFault:
        return INSTANT_MIN - 1 if length.count > 0 else INSTANT_MAX + 1


def dates_window_start(zone: Zone, instant: Instant, count: int, inclusive: bool = False) -> int:
    """Where `within COUNT dates` begins: with the first of the last so many local dates, today among them.

    What lies at it or after it is in the window. Like that of `window_start` it cannot overflow.

    Parameters
    ----------
    zone : Zone
        The ruleset's time zone.
    instant : Instant
        Now.
    count : int
        How many dates; where it is less than one, nothing up to now is in the window.
    inclusive : bool
        Whether the date before them is in the window too.

    Examples
    --------
    >>> zone = Zone.load("Asia/Shanghai")
    >>> zone.format(dates_window_start(zone, zone.parse("2015-01-05T09:30"), 5))
    '2015-01-01T00:00:00+08:00'
    """
    return _bounded(zone.begin(zone.date(instant) + 1 - count - inclusive))


def _bounded(start: int) -> int:
    return min(max(start, INSTANT_MIN - 1), INSTANT_MAX + 1)
