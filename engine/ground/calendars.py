"""Working days, with an explicit first and last day that is known (semantics 10, 11)."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from .quantities import ArithmeticFault, Day, format_date, parse_date

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KEYS = ("calendar", "title", "first", "last", "weekend_days", "holidays", "workdays")
_LONGEST = 400 * 366


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked, from `first_day` to `last_day`; of the days outside nothing is known.

    Days are counted since 1970-01-01. `working` are the working days, ascending. Calendars are equal where
    they agree in everything but the title.

    Examples
    --------
    >>> calendar = Calendar.from_mapping({"calendar": "X", "first": "2015-01-01", "last": "2015-12-31"})
    >>> format_date(calendar.nth_working_day_after(parse_date("2015-01-02"), 3))
    '2015-01-07'
    """

    name: str
    first_day: Day
    last_day: Day
    working: tuple[Day, ...] = field(repr=False)
    title: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Calendar:
        """Make a calendar of what its file says.

        Parameters
        ----------
        mapping : mapping
            What the file says, by its keys. `calendar`: the name. `title`: a mapping from language to text,
            optional. `first`, `last`: the days known. `weekend_days`: names of days of the week, saturday and
            sunday unless given. `holidays`: dates that are off, or ranges of them, `2015-02-18..2015-02-24`,
            both ends included; weekends may lie in a range. `workdays`: dates or ranges of weekend days that
            are worked. A date is a text or a `datetime.date`.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or its value is of another form; if a date is listed twice or lies
            outside the days known; if one of `workdays` is no weekend day.

        Examples
        --------
        >>> days = {"first": "2015-02-16", "last": "2015-03-01", "holidays": ["2015-02-18..2015-02-24"]}
        >>> calendar = Calendar.from_mapping({"calendar": "X", **days, "workdays": ["2015-02-28"]})
        >>> calendar.is_working(parse_date("2015-02-24")), calendar.is_working(parse_date("2015-02-28"))
        (False, True)
        """
        for key in mapping:
            if key not in _KEYS:
                near = difflib.get_close_matches(str(key)[:80], _KEYS, n=1)
                raise ValueError(f"unknown key `{key}`" + (f", did you mean `{near[0]}`?" if near else ""))
        for key in ("calendar", "first", "last"):
            if mapping.get(key) is None:
                raise ValueError(f"a calendar needs the key `{key}`")
        name = mapping["calendar"]
        if not isinstance(name, str) or not name:
            raise ValueError(f"`calendar`: `{name}` is not a name")
        first, last = _parse_day("first", mapping["first"]), _parse_day("last", mapping["last"])
        if not first <= last:
            raise ValueError(f"`first`: {format_date(first)} lies after `last`, {format_date(last)}")
        if last - first >= _LONGEST:
            raise ValueError("a calendar reaches over 400 years at most")
        weekend = set(_parse_weekend(mapping.get("weekend_days")))
        holidays = _parse_days("holidays", mapping.get("holidays"), first, last)
        workdays = _parse_days("workdays", mapping.get("workdays"), first, last)
        for day in sorted(workdays):
            if _weekday(day) not in weekend:
                raise ValueError(f"`workdays`: {format_date(day)}, a {_weekday(day)}, is no weekend day")
            if day in holidays:
                raise ValueError(f"`workdays`: {format_date(day)} is among the `holidays` too")
        working = tuple(
            day
            for day in range(first, last + 1)
            if day in workdays or (_weekday(day) not in weekend and day not in holidays)
        )
        return cls(name, first, last, working, _parse_title(mapping.get("title")))

    def is_working(self, day: Day) -> bool:
        """Whether a day is worked.

        Raises
        ------
        ArithmeticFault
            If the day lies outside the days known.
        """
        if not self.first_day <= day <= self.last_day:
            raise self._fault()
        index = bisect_right(self.working, day)
        return index > 0 and self.working[index - 1] == day

    def nth_working_day_after(self, day: Day, count: int) -> Day:
        """The working day reached by counting `count` of them, one or more, from the day after `day`.

        Raises
        ------
        ArithmeticFault
            If the count leaves the days known: one of those after `day`, up to the result, is not.
        ValueError
            If `count` is less than 1.

        Examples
        --------
        >>> calendar = Calendar.from_mapping({"calendar": "X", "first": "2015-01-01", "last": "2015-01-31"})
        >>> format_date(calendar.nth_working_day_after(parse_date("2015-01-09"), 1))
        '2015-01-12'
        """
        if count < 1:
            raise ValueError(f"`{count} workdays` is not one working day or more")
        index = bisect_right(self.working, day) + count - 1
        if day < self.first_day - 1 or index >= len(self.working):
            raise self._fault()
        return self.working[index]

    def _fault(self) -> ArithmeticFault:
        known = f"from {format_date(self.first_day)} to {format_date(self.last_day)}"
        return ArithmeticFault(f"the calendar `{self.name}` knows working days {known} only")


def _weekday(day: Day) -> str:
    return WEEKDAYS[(day + 3) % 7]  # 1970-01-01 was a Thursday


def _parse_day(key: str, value: object) -> Day:
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str):
        raise ValueError(f"`{key}`: `{value}` is not a date, such as `2014-11-04`")
    try:
        return parse_date(text)
    except ValueError as error:
        raise ValueError(f"`{key}`: {error}") from None


def _parse_days(key: str, value: object, first: Day, last: Day) -> set[Day]:
    """The days that a list of dates and ranges names, each once."""
    if value is None:
        return set()
    if not isinstance(value, list):
        raise ValueError(f"`{key}` is not a list of dates")
    days: set[Day] = set()
    for entry in value:
        for day in _parse_range(key, entry, first, last):
            if day in days:
                raise ValueError(f"`{key}`: {format_date(day)} is listed twice")
            days.add(day)
    return days


def _parse_range(key: str, entry: object, first: Day, last: Day) -> range:
    begin, dots, end = entry.partition("..") if isinstance(entry, str) else (entry, "", "")
    start = _parse_day(key, begin)
    stop = _parse_day(key, end) if dots else start
    if stop < start:
        raise ValueError(f"`{key}`: the range `{entry}` ends before it begins")
    if start < first or stop > last:
        raise ValueError(f"`{key}`: `{entry}` lies outside {format_date(first)} to {format_date(last)}")
    return range(start, stop + 1)


def _parse_weekend(value: object) -> Iterator[str]:
    if value is None:
        value = ["saturday", "sunday"]
    if not isinstance(value, list):
        raise ValueError("`weekend_days` is not a list of days of the week")
    for name in value:
        if name not in WEEKDAYS:
            near = difflib.get_close_matches(str(name)[:80].lower(), WEEKDAYS, n=1)
            suggestion = f", did you mean `{near[0]}`?" if near else ""
            raise ValueError(f"`weekend_days`: `{name}` is no day of the week{suggestion}")
        yield name


def _parse_title(value: object) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise ValueError("`title` is not a mapping from language to text, such as `{en: …}`")
    return tuple(value.items())
