"""The time axis of a picture: instants to pixels, quiet times cut out, and ticks at local dates."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

HOUR = 3_600_000_000
DAY = 24 * HOUR
_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal() - _EPOCH

CUT = 46.0
"""How many pixels a quiet time takes that was cut out."""
MOST_CUTS = 7
WANTED = 26.0
"""How many pixels the shortest length that matters should have."""


class Clock(Protocol):
    """What the axis needs of a time zone: days are counted since 1970-01-01, instants in microseconds."""

    def date(self, instant: int) -> int:
        """The local date of an instant."""

    def begin(self, day: int) -> int:
        """When a local date begins."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the axis: instants and pixels from and to; one that was `cut` stands for a quiet time."""

    start: int
    end: int
    left: float
    right: float
    cut: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis, with its words."""

    x: float
    text: str


class Scale:
    """Instants to pixels.

    Parameters
    ----------
    instants : iterable of int
        Whatever is to be shown, in microseconds.
    shortest : int
        The shortest length of time that should be seen; 0 where there is none.
    left, right : float
        The pixels of the axis.

    Examples
    --------
    >>> scale = Scale([0, 10 * DAY], 0, 0, 100)
    >>> scale.x(5 * DAY)
    50.0
    """

    def __init__(self, instants: Iterable[int], shortest: int, left: float, right: float) -> None:
        points = sorted(set(instants)) or [0]
        if points[0] == points[-1]:
            points = [points[0] - DAY, points[0], points[-1] + DAY]
        cuts = _quiet(points, shortest, right - left)
        lengths = _lengths(points, cuts)
        per_pixel = sum(end - start for start, end, cut in lengths if not cut) / max(right - left - CUT * len(cuts), 1)
        self.pieces: list[Piece] = []
        x = left
        for start, end, cut in lengths:
            width = CUT if cut else (end - start) / per_pixel
            self.pieces.append(Piece(start, end, x, x + width, cut))
            x += width
        self.per_pixel = per_pixel
        self.left, self.right = left, right
        self._starts = [piece.start for piece in self.pieces]

    def x(self, instant: int) -> float:
        """Where an instant stands; what lies outside stands at the edge."""
        piece = self.pieces[max(bisect_right(self._starts, instant) - 1, 0)]
        share = (instant - piece.start) / (piece.end - piece.start)
        return min(max(piece.left + share * (piece.right - piece.left), self.left), self.right)

    def ticks(self, clock: Clock, width: float) -> list[Tick]:
        """The ticks, so far apart that each has `width` pixels for its words."""
        found: list[Tick] = []
        step, half = self._step(width), width / 2
        free = self.left - half
        for number, piece in enumerate(self.pieces):
            if piece.cut:
                # The words of a quiet time stand in its middle.
                free = max(free, (piece.left + piece.right + CUT) / 2)
                continue
            following = self.pieces[number + 1] if number + 1 < len(self.pieces) else None
            end = self.right + half if following is None else (following.left + following.right - CUT) / 2
            for instant, text in _instants(clock, piece.start, piece.end, step):
                x = self.x(instant)
                if x - half >= free and x + half <= end:
                    found.append(Tick(x, text))
                    free = x + half
        return found

    def _step(self, width: float) -> tuple[str, int]:
        for unit, count, length in _STEPS:
            if length / self.per_pixel >= width:
                return unit, count
        return "year", max(int(width * self.per_pixel / (365 * DAY)) + 1, 1)


_STEPS = (
    ("hour", 1, HOUR),
    ("hour", 3, 3 * HOUR),
    ("hour", 6, 6 * HOUR),
    ("hour", 12, 12 * HOUR),
    ("day", 1, DAY),
    ("day", 2, 2 * DAY),
    ("day", 7, 7 * DAY),
    ("day", 14, 14 * DAY),
    ("month", 1, 29 * DAY),
    ("month", 2, 59 * DAY),
    ("month", 3, 89 * DAY),
    ("month", 6, 180 * DAY),
    ("year", 1, 364 * DAY),
    ("year", 2, 730 * DAY),
    ("year", 5, 1825 * DAY),
)


def _quiet(points: Sequence[int], shortest: int, width: float) -> list[tuple[int, int]]:
    """The quiet times to cut out, the longest first, until the shortest length that matters can be seen."""
    gaps = sorted(itertools.pairwise(points), key=lambda gap: (gap[0] - gap[1], gap[0]))
    total = points[-1] - points[0]
    if not shortest:
        lengths = sorted(b - a for a, b in gaps)
        shortest = lengths[len(lengths) // 4]
    cuts: list[tuple[int, int]] = []
    for start, end in gaps[:MOST_CUTS]:
        if shortest * width / total >= WANTED or (end - start) * width / total < 2.5 * CUT:
            break
        # What stands at its ends keeps some air.
        air = (end - start) // 12
        cuts.append((start + air, end - air))
        total -= end - start - 2 * air
        width -= CUT
    return cuts


def _lengths(points: Sequence[int], cuts: Sequence[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    found = []
    at = points[0]
    for start, end in sorted(cuts):
        found += [(at, start, False), (start, end, True)]
        at = end
    found.append((at, points[-1], False))
    return [(start, end, cut) for start, end, cut in found if end > start]


def _instants(clock: Clock, start: int, end: int, step: tuple[str, int]) -> Iterator[tuple[int, str]]:
    """The instants of a stretch at which the calendar turns, with their words."""
    unit, count = step
    first, last = max(clock.date(start), -_EPOCH + 1), min(clock.date(end), _LAST)
    for day in range(first, last + 1) if unit in ("hour", "day") else _months(first, last):
        turn = date.fromordinal(day + _EPOCH)
        if (unit == "month" and (turn.month - 1) % count) or (unit == "year" and (turn.month > 1 or turn.year % count)):
            continue
        if unit == "day" and day % count:
            continue
        begins = clock.begin(day)
        text = f"{turn.year:04}-{turn.month:02}" if unit == "month" else f"{turn.year:04}" if unit == "year" else ""
        if start <= begins <= end:
            yield begins, text or turn.isoformat()
        if unit == "hour":
            for hour in range(count, 24, count):
                instant = begins + hour * HOUR
                if start <= instant <= end:
                    yield instant, f"{hour:02}:00"


def _months(first: int, last: int) -> Iterator[int]:
    """The days from the first to the last on which a month begins."""
    day = date.fromordinal(first + _EPOCH).replace(day=1)
    while True:
        number = day.toordinal() - _EPOCH
        if number > last:
            return
        if number >= first:
            yield number
        if day.year == date.max.year and day.month == 12:
            return
        day = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
