"""Time zones: the local dates and clock times of instants, and back (semantics 10)."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from .quantities import (
    DAY,
    EPOCH_ORDINAL,
    INSTANT_MAX,
    INSTANT_MIN,
    SECOND,
    ArithmeticFault,
    Day,
    Duration,
    Instant,
    parse_fraction,
    shown,
)
from .zonefile import read_zone

_EPOCH = datetime(1970, 1, 1)
_EPOCH_IN_UTC = _EPOCH.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_USUAL = len("2014-11-04T09:30:00+08:00")
_BEYOND = "overflow: a time outside the years 1 to 9999"
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.([0-9]+))?)?)"
    r"(Z|[+-][0-9]{2}(?:[0-9]{2}|:[0-9]{2}(?::[0-9]{2})?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone with the whole table of its offsets through the year 9999. Made by `Zone.load`.

    It reads nothing after it was loaded, and many threads may use it. Zones are equal where their names are.
    `earliest` and `latest` are the first and the last instant: those of which both the UTC and the local year
    lie in 1 to 9999.
    """

    name: str
    earliest: Instant = field(repr=False, compare=False)
    latest: Instant = field(repr=False, compare=False)
    _changes: tuple[Instant, ...] = field(repr=False, compare=False)
    _local_changes: tuple[int, ...] = field(repr=False, compare=False)
    _offsets: tuple[Duration, ...] = field(repr=False, compare=False)
    _suffixes: tuple[str, ...] = field(repr=False, compare=False)

    @classmethod
    def load(cls, name: str) -> Zone:
        """Load a zone of the pinned `tzdata` package; the system's own database is never read.

        Parameters
        ----------
        name : str
            The IANA name, such as `Asia/Shanghai`.

        Raises
        ------
        ValueError
            If there is no such zone; the nearest name is suggested.

        Examples
        --------
        >>> Zone.load("Asia/Shanghai").format(0)
        '1970-01-01T08:00:00+08:00'
        """
        starts, seconds = read_zone(name)
        changes = tuple(start * SECOND for start in starts)
        offsets = tuple(offset * SECOND for offset in seconds)
        # A clock time that is skipped, or that occurs twice, goes by the offset before the change.
        local_changes = tuple(
            change + max(before, after)
            for change, before, after in zip(changes, offsets[:-1], offsets[1:], strict=True)
        )
        return cls(
            name=name,
            earliest=max(INSTANT_MIN, INSTANT_MIN - offsets[0]),
            latest=min(INSTANT_MAX, INSTANT_MAX - offsets[-1]),
            _changes=changes,
            _local_changes=local_changes,
            _offsets=offsets,
            _suffixes=tuple(map({offset: _suffix(offset) for offset in set(seconds)}.__getitem__, seconds)),
        )

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Zone.load, (self.name,)

    def checked_instant(self, instant: int) -> Instant:
        """Give the instant back if its UTC and its local year lie in 1 to 9999.

        Every engine sends each time ± duration through here.

        Raises
        ------
        ArithmeticFault
            If they do not.
        """
        if self.earliest <= instant <= self.latest:
            return instant
        raise ArithmeticFault(_BEYOND)

    def offset(self, instant: Instant) -> Duration:
        """How far local time is ahead of UTC at an instant, in microseconds."""
        return self._offsets[bisect_right(self._changes, instant)]

    @property
    def changes(self) -> tuple[Instant, ...]:
        """The instants at which the offset changes."""
        return self._changes

    @property
    def local_changes(self) -> tuple[int, ...]:
        """Up to when a local time goes by the offset before each change, in microseconds since 1970-01-01T00:00."""
        return self._local_changes

    @property
    def offsets(self) -> tuple[Duration, ...]:
        """How far local time is ahead of UTC before, between and after the changes: one more than these."""
        return self._offsets

    def local(self, instant: Instant) -> tuple[Day, Duration]:
        """The date that clocks show, and how far they have come since 00:00, in microseconds.

        Examples
        --------
        >>> Zone.load("Asia/Shanghai").local(1_500_000)
        (0, 28801500000)
        """
        return divmod(instant + self._offsets[bisect_right(self._changes, instant)], DAY)

    def date(self, instant: Instant) -> Day:
        """The local date, in days since 1970-01-01: that which began last.

        Where clocks fall back over midnight, the date that has begun goes on while they show the end of the one before
        again. So a date is the time from its beginning to that of the next, and later instants have no earlier date.

        Examples
        --------
        >>> zone = Zone.load("America/St_Johns")
        >>> again = zone.parse("2009-10-31T23:30-03:30")
        >>> zone.date(again) == zone.local(again)[0] + 1
        True
        """
        index = bisect_right(self._changes, instant)
        day = (instant + self._offsets[index]) // DAY
        if index and instant - self._changes[index - 1] < DAY:
            return max(day, (self._changes[index - 1] + self._offsets[index - 1] - 1) // DAY)
        return day

    def instant(self, day: Day, clock: Duration = 0) -> Instant:
        """The instant of a local date and clock time.

        A local time that occurs twice is its first occurrence; one that is skipped moves forward by the gap.

        Parameters
        ----------
        day : Day
            Days since 1970-01-01.
        clock : Duration
            Microseconds since 00:00 of that date, as the clock shows them.

        Raises
        ------
        ArithmeticFault
            If the instant lies outside the years 1 to 9999.

        Examples
        --------
        >>> zone = Zone.load("America/New_York")
        >>> zone.format(zone.parse("2024-03-10T02:30")), zone.format(zone.parse("2024-11-03T01:30"))
        ('2024-03-10T03:30:00-04:00', '2024-11-03T01:30:00-04:00')
        """
        local = day * DAY + clock
        return self.checked_instant(local - self._offsets[bisect_right(self._local_changes, local)])

    def begin(self, day: Day) -> int:
        """When a local date begins, which is the end (24:00) of the one before; of any year.

        Where 00:00 is skipped, the date begins when the clocks change. (A date that is skipped as a whole
        begins and ends there.)

        Examples
        --------
        >>> zone = Zone.load("Africa/Cairo")
        >>> summer_time = zone.parse("2024-04-26T12:00")
        >>> zone.format(zone.begin(zone.date(summer_time)))
        '2024-04-26T01:00:00+03:00'
        """
        index = bisect_right(self._local_changes, day * DAY)
        begin = day * DAY - self._offsets[index]
        return min(begin, self._changes[index]) if index < len(self._changes) else begin

    def start_of_day(self, instant: Instant) -> Instant:
        """The first instant of an instant's local date: `day(t)`, and where `this day` begins.

        It is never after the instant. In the first hours of the year 1 it is the zone's earliest instant.
        """
        return max(self.begin(self.date(instant)), self.earliest)

    def start_of_month(self, instant: Instant) -> Instant:
        """The first instant of an instant's local month: `month(t)`, and where `this month` begins."""
        day = self.date(instant)
        return max(self.begin(day - date.fromordinal(day + EPOCH_ORDINAL).day + 1), self.earliest)

    def start_of_year(self, instant: Instant) -> Instant:
        """The first instant of an instant's local year: `year(t)`, and where `this year` begins."""
        year = date.fromordinal(self.date(instant) + EPOCH_ORDINAL).year
        return max(self.begin(date(year, 1, 1).toordinal() - EPOCH_ORDINAL), self.earliest)

    def format(self, instant: Instant) -> str:
        """Write an instant in ISO 8601 with its offset, and six digits of a second where they are not zero.

        Raises
        ------
        ArithmeticFault
            If the local year is not in 1 to 9999.

        Examples
        --------
        >>> Zone.load("Asia/Shanghai").format(1_420_387_200_000_000)
        '2015-01-05T00:00:00+08:00'
        """
        index = bisect_right(self._changes, instant)
        try:
            local = _EPOCH + (instant + self._offsets[index]) * _MICROSECOND
        except OverflowError:
            raise ArithmeticFault(_BEYOND) from None
        return local.isoformat() + self._suffixes[index]

    def parse(self, text: str) -> Instant:
        """Read a time: ISO 8601 in its extended form.

        Parameters
        ----------
        text : str
            `2014-11-04` (00:00 local), or `2014-11-04T09:30` or `2014-11-04 09:30:15.5` and then nothing
            (local), `Z`, or an offset: `+08:00`, `+0800`, `+08`. Zeros after the sixth digit of a second are
            no harm. Anything else is refused: `20141104` (which may be a mere number), week dates, 24:00,
            second 60, a lone hour, a comma, lower case, blanks around it.

        Returns
        -------
        Instant
            By the offset if there is one, else as `instant` does.

        Raises
        ------
        ValueError
            If it is no time, does not exist, is finer than microseconds, or lies outside the years 1 to 9999.

        Examples
        --------
        >>> zone = Zone.load("Asia/Shanghai")
        >>> zone.parse("2015-01-05") == zone.parse("2015-01-04T16:00:00Z") == 1_420_387_200_000_000
        True
        """
        found = _TIME.fullmatch(text)
        if not found:
            example = "such as `2014-11-04` or `2014-11-04T09:30:00+08:00`"
            raise ValueError(f"{shown(text)} is not a time, {example}")
        clock, fraction, offset = found.groups()
        try:
            if len(text) == _USUAL and offset and len(clock) == 8 and clock < "24" and offset[4] < "6":
                utc = (datetime.fromisoformat(text) - _EPOCH_IN_UTC) // _MICROSECOND
                if self.earliest <= utc <= self.latest:
                    return utc
        except ValueError:
            pass  # What is wrong is said below.
        try:
            if clock is None:
                moment = datetime.fromisoformat(text)
            elif clock < "24":
                moment = datetime.fromisoformat(text[: 11 + min(len(clock), 8)])
            else:
                raise ValueError
        except ValueError:
            raise ValueError(f"{shown(text)} names a day or a time of day that does not exist") from None
        local = (moment - _EPOCH) // _MICROSECOND
        if fraction:
            local += parse_fraction(text, fraction)
        try:
            return self.instant(0, local) if offset is None else self.checked_instant(local - _ahead(text, offset))
        except ArithmeticFault:
            raise ValueError(f"{shown(text)} lies outside the years 1 to 9999") from None


def _ahead(text: str, offset: str) -> Duration:
    """How far a time written with this offset is ahead of UTC, in microseconds."""
    if offset == "Z":
        return 0
    digits = offset[1:].replace(":", "")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4] or 0), int(digits[4:] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f"{shown(text)} names an offset that does not exist")
    size = (hours * 3600 + minutes * 60 + seconds) * SECOND
    return -size if offset[0] == "-" else size


def _suffix(seconds: int) -> str:
    """The offset as it stands behind a time: `+08:00`, with seconds only where they are not zero."""
    minutes, second = divmod(abs(seconds), 60)
    suffix = f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{suffix}:{second:02d}" if second else suffix
