"""Exact integers, durations and dates (semantics 10).

An instant is a whole number of microseconds since 1970 UTC, a duration a whole number of microseconds, a
date a whole number of days since 1970-01-01: plain integers, so that every engine computes alike. What must
not happen silently, a number beyond 64 bits or a time beyond the years 1 to 9999, is an `ArithmeticFault`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TypeAlias

Instant: TypeAlias = int
"""Whole microseconds since 1970-01-01T00:00:00Z."""

Duration: TypeAlias = int
"""Whole microseconds, of either sign."""

Day: TypeAlias = int
"""A date, as whole days since 1970-01-01."""

MICROSECOND: Duration = 1
SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR
WEEK: Duration = 7 * DAY

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

INSTANT_MIN: Instant = (date.min.toordinal() - EPOCH_ORDINAL) * DAY
"""The first microsecond of the year 1, in UTC."""

INSTANT_MAX: Instant = (date.max.toordinal() - EPOCH_ORDINAL + 1) * DAY - 1
"""The last microsecond of the year 9999, in UTC."""

_DURATION_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_DURATION = re.compile(r"(-?)(?:([0-9]+)([smhdw])|PT([0-9]+)(?:\.([0-9]+))?S)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ArithmeticFault(Exception):
    """A result that does not exist, which ends the run of a subject (semantics 11).

    It lies beyond 64 bits, beyond the years 1 to 9999, or beyond the days that a calendar knows.
    """


def checked_integer(number: int) -> int:
    """Give the number back if it fits into 64 bits (semantics 10).

    Raises
    ------
    ArithmeticFault
        If it does not.

    Examples
    --------
    >>> checked_integer(2**63 - 1)
    9223372036854775807
    """
    if INTEGER_MIN <= number <= INTEGER_MAX:
        return number
    raise ArithmeticFault("overflow: an integer beyond 64 bits")


def checked_duration(duration: int) -> Duration:
    """Give the duration, in microseconds, back if it fits into 64 bits (semantics 10).

    Raises
    ------
    ArithmeticFault
        If it does not.

    Examples
    --------
    >>> checked_duration(3 * DAY)
    259200000000
    """
    if INTEGER_MIN <= duration <= INTEGER_MAX:
        return duration
    raise ArithmeticFault("overflow: a duration beyond 64 bits of microseconds")


def floor_divide(dividend: int, divisor: int) -> int | None:
    """The operator `//`: the quotient rounded down; missing (None) where the divisor is 0.

    Raises
    ------
    ArithmeticFault
        If the quotient is beyond 64 bits, as the smallest integer by -1 is.

    Examples
    --------
    >>> floor_divide(-7, 2), floor_divide(7, 0)
    (-4, None)
    """
    return checked_integer(dividend // divisor) if divisor else None


def modulo(dividend: int, divisor: int) -> int | None:
    """The operator `%`: what `//` leaves, of the divisor's sign; missing (None) where the divisor is 0.

    Examples
    --------
    >>> modulo(-7, 2), modulo(7, -2), modulo(7, 0)
    (1, -1, None)
    """
    return dividend % divisor if divisor else None


def parse_duration(text: str) -> Duration:
    """Read a duration: a literal of the language, or ISO 8601 seconds as the output writes them.

    Parameters
    ----------
    text : str
        `72h`, `30m`, `15s`, `3d` (a day is 24 h), `2w`, `PT259200S` or `PT0.500000S`; `-` may stand before.

    Returns
    -------
    Duration
        Microseconds.

    Raises
    ------
    ValueError
        If the text is no duration, finer than microseconds, or beyond 64 bits of microseconds.

    Examples
    --------
    >>> parse_duration("72h") == parse_duration("3d") == parse_duration("PT259200S") == 3 * DAY
    True
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{shown(text)} is not a duration, such as `72h`, `3d` or `PT259200S`")
    sign, number, unit, seconds, fraction = found.groups()
    digits = (number or seconds).lstrip("0") or "0"
    if len(digits) <= 19:
        size = int(digits) * _DURATION_UNITS[unit or "s"] + parse_fraction(text, fraction)
        duration = -size if sign else size
        if INTEGER_MIN <= duration <= INTEGER_MAX:
            return duration
    raise ValueError(f"{shown(text)} is beyond 64 bits of microseconds")


def format_duration(duration: Duration) -> str:
    """Write a duration as ISO 8601 seconds, with six digits of a second where they are not zero.

    Examples
    --------
    >>> format_duration(72 * HOUR), format_duration(-1_500_000)
    ('PT259200S', '-PT1.500000S')
    """
    sign = "-" if duration < 0 else ""
    seconds, microseconds = divmod(abs(duration), SECOND)
    return f"{sign}PT{seconds}.{microseconds:06d}S" if microseconds else f"{sign}PT{seconds}S"


def parse_date(text: str) -> Day:
    """Read a date, `2014-11-04`, as days since 1970-01-01.

    Raises
    ------
    ValueError
        If the text is no date, or one that does not exist.

    Examples
    --------
    >>> parse_date("1970-01-31")
    30
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a date, such as `2014-11-04`")
    try:
        return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise ValueError(f"{shown(text)} names a day that does not exist") from None


def format_date(day: Day) -> str:
    """Write a date of the years 1 to 9999.

    Examples
    --------
    >>> format_date(30)
    '1970-01-31'
    """
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def parse_fraction(text: str, digits: str | None) -> Duration:
    """Read the digits after a second's point, as microseconds; zeros after the sixth are no harm.

    Raises
    ------
    ValueError
        If they are finer than microseconds; the message shows `text`, which they are part of.

    Examples
    --------
    >>> parse_fraction("PT0.5S", "5")
    500000
    """
    if not digits:
        return 0
    if digits[6:].strip("0"):
        raise ValueError(f"{shown(text)} is finer than microseconds")
    return int(digits[:6].ljust(6, "0"))


def shown(text: str) -> str:
    r"""A text as a message shows it: in backticks, the end of a long one cut, what cannot be seen escaped.

    Examples
    --------
    >>> print(shown("2014\n"))
    `2014\n`
    """
    short = text if len(text) <= 80 else text[:79] + "…"
    return f"`{''.join(c if c.isprintable() else ascii(c)[1:-1] for c in short)}`"
