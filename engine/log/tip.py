"""The end of a log as a transaction moves it on: when a batch becomes known, and to what each record is chained.

**The clock of a log.** All facts of a batch become known at one instant, which is later than that of every batch before
and than every instant that `Log.clock` has given, in this process or another. So a decision as of an instant that the
clock gave never changes by what is appended later, even where the machine's clock jumps back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..ground.values import INSTANT_MAX, Instant
from .errors import ClockError
from .records import Receipt, chained, utc
from .stores import NewRecord

TOLERANCE = 60_000_000
"""How far the machine's clock may be behind the log's, in microseconds, before nothing is appended any more."""


def machine_clock() -> Instant:
    """The machine's clock, in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


class Tip:
    """The end of a log as a transaction moves it on."""

    __slots__ = ("hash", "known_at", "now", "position", "records")

    def __init__(self, position: int, hash: bytes, known_at: Instant, now: Callable[[], Instant]) -> None:
        self.position, self.hash, self.known_at, self.now = position, hash, known_at, now
        self.records: list[NewRecord] = []

    def next(self) -> None:
        """Begin a batch: it becomes known now, and later than all before."""
        now = self.now()
        if not 0 < now <= INSTANT_MAX:
            raise ClockError("the machine's clock shows no instant that can be: set it right")
        behind = self.known_at - now
        if behind > TOLERANCE:
            raise ClockError(
                f"the machine's clock shows {utc(now)}, which is {behind / 1_000_000:,.0f} s before the last instant "
                f"of the log, {utc(self.known_at)}: nothing is appended until the clock is right"
            )
        self.known_at = max(now, self.known_at + 1)

    def add(self, kind: str, key: str, subject: str, content: bytes) -> Receipt:
        """Chain a record to the last."""
        previous, position = self.hash, self.position + 1
        hash = chained(position, self.known_at, kind, key, subject, content, previous)
        self.records.append(NewRecord(position, self.known_at, kind, key, subject, content, previous, hash))
        self.position, self.hash = position, hash
        return Receipt(position, self.known_at, hash.hex())
