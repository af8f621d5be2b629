"""When a request is made again, and after how long."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass

AGAIN = frozenset({429, 502, 503, 504})
"""Statuses after which asking again may help."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is made at most, and how long is waited between.

    The pause doubles from `first` up to `longest`, each time by chance between half of it and all, so that many clients
    do not come back at once. Where the service says by `Retry-After` how long to wait, that is waited, unless it is
    more than `longest`: then the error is raised, and says so.

    Parameters
    ----------
    attempts : int
        How often a request is made at most; 1 for never again.
    first : float
        The first pause, in seconds.
    longest : float
        The longest pause, in seconds.

    Examples
    --------
    >>> retries = Retries(attempts=3, first=0.5, longest=10)
    >>> [retries.pause(made, chance=1.0) for made in (1, 2, 3)]
    [0.5, 1.0, None]
    >>> retries.pause(1, chance=0.0, retry_after=7), retries.pause(1, chance=0.0, retry_after=60)
    (7, None)
    """

    attempts: int = 6
    first: float = 0.25
    longest: float = 30.0

    def pause(self, made: int, chance: float, retry_after: float | None = None) -> float | None:
        """How many seconds to wait before the next attempt; None where there is to be none.

        Parameters
        ----------
        made : int
            How many attempts were made.
        chance : float
            A number from 0 to 1.
        retry_after : float, optional
            How many seconds the service asked to wait.
        """
        if made >= self.attempts:
            return None
        backoff: float = min(self.first * 2 ** min(made - 1, 30), self.longest) * (0.5 + chance / 2)
        if retry_after is None:
            return backoff
        return max(backoff, retry_after) if retry_after <= self.longest else None


def seconds_of(header: str | None, now: float) -> float | None:
    """How many seconds a header `Retry-After` asks to wait; None where it says nothing that can be read.

    Parameters
    ----------
    header : str or None
        A number of seconds, or a date of HTTP.
    now : float
        The present instant, in seconds since 1970 UTC.

    Examples
    --------
    >>> seconds_of("3", 0), seconds_of("Thu, 01 Jan 1970 00:01:00 GMT", 50.0), seconds_of("soon", 0)
    (3.0, 10.0, None)
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
