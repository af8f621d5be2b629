"""One state of a log: the instant of a decision, what is known then, and the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..ground.values import Instant
from .errors import NoRuleset
from .records import FACT, Activated, Record, utc
from .stores import Reading

COLUMNS = "position, known_at, kind, key, subject, content, previous, hash"
PAGE = 1_000
"""How many records are read at a time."""

OF_SUBJECT = f"""
SELECT {COLUMNS} FROM strikeout_record
WHERE log = ? AND subject = ? AND position > ? AND known_at <= ? ORDER BY position
"""
LAST_OF_SUBJECT = """
SELECT position FROM strikeout_record
WHERE log = ? AND subject = ? AND known_at <= ? ORDER BY position DESC LIMIT 1
"""
# From one subject to the next by the index, however many facts a subject has.
SUBJECTS = """
WITH RECURSIVE named (subject) AS (
    SELECT min(subject) FROM strikeout_record WHERE log = ? AND subject > ?
    UNION ALL
    SELECT (SELECT min(subject) FROM strikeout_record WHERE log = ? AND subject > named.subject)
    FROM named WHERE named.subject IS NOT NULL
)
SELECT subject FROM named WHERE subject IS NOT NULL
AND EXISTS (SELECT 1 FROM strikeout_record r WHERE r.log = ? AND r.subject = named.subject AND r.known_at <= ?)
LIMIT ?
"""
AFTER = (
    f"SELECT {COLUMNS} FROM strikeout_record WHERE log = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?"
)
KNOWN_AT = "SELECT known_at FROM strikeout_record WHERE log = ? AND position = ?"


def record_of(row: tuple[Any, ...]) -> Record:
    """The record that a row of the database gives."""
    position, known_at, kind, key, subject, content, previous, hash = row
    return Record(position, known_at, kind, key, subject, bytes(content), previous.hex(), hash.hex())


def in_force(activations: Sequence[Activated], at: Instant) -> Activated:
    """The ruleset in force at an instant, of the activations that are known.

    Raises
    ------
    NoRuleset
        Where none is in force yet.
    """
    begun = [activated for activated in activations if activated.from_ <= at]
    if not begun:
        first = min((activated.from_ for activated in activations), default=None)
        more = "the log has none" if first is None else f"the first is from {utc(first)} on"
        raise NoRuleset(f"no ruleset is in force at {utc(at)}; {more}")
    return max(begun, key=lambda activated: (activated.from_, activated.position))


@dataclass(frozen=True, slots=True)
class Glance:
    """What one short look into a log gives of a subject as of now: `Snapshot` for the most frequent question.

    Attributes
    ----------
    as_of : int
        The log's clock, in microseconds since 1970 UTC.
    position : int
        The last position of the log.
    ruleset : Activated
        The ruleset in force then.
    facts : list of tuple
        Position, `known_at` and row of each fact of the subject after the position from which on it was asked, in
        order; all of them.
    """

    as_of: Instant
    position: int
    ruleset: Activated
    facts: list[tuple[int, Instant, dict[str, object]]]


class Snapshot:
    """One state of a log, whatever is appended meanwhile; made by `Log.snapshot`, for one thread, and to be closed.

    Attributes
    ----------
    as_of : int
        The instant of the decision: as asked, else the log's clock (microseconds since 1970 UTC).
    known : int
        What is known: all that became known up to this instant. A snapshot asked for with both instants gives the same
        facts and the same rulesets at any later time.
    activations : tuple of Activated
        The rulesets and from when on each is in force, as known, in the order in which they became known.
    """

    __slots__ = ("_head", "_limit", "_log", "_position", "_reading", "activations", "as_of", "known")

    def __init__(
        self,
        reading: Reading,
        log: int,
        head: tuple[int, int],
        as_of: Instant,
        known: Instant,
        activations: tuple[Activated, ...],
    ) -> None:
        self._reading, self._log, self._head = reading, log, head
        self._limit = min(as_of, known)
        self._position: int | None = None
        self.as_of, self.known, self.activations = as_of, known, activations

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the transaction."""
        self._reading.close()

    @property
    def position(self) -> int:
        """The last position of what is known."""
        if self._position is None:
            self._position = self._last_known(self.known)
        return self._position

    @property
    def through(self) -> int:
        """The last position of what is known as of the instant of the decision: beyond it no facts are given."""
        return self.position if self._limit == self.known else self._last_known(self._limit)

    def in_force(self, at: Instant | None = None) -> Activated:
        """The ruleset in force at an instant, as known: the latest begun, of those begun together the last activated.

        Parameters
        ----------
        at : int, optional
            The instant, in microseconds since 1970 UTC; else that of the decision.

        Raises
        ------
        NoRuleset
            Where none is in force yet.
        """
        return in_force(self.activations, self.as_of if at is None else at)

    def facts(self, subject: str, after: int = 0) -> Iterator[Record]:
        """The facts of a subject that are known as of the decision, in the order of the log.

        Parameters
        ----------
        subject : str
            The subject.
        after : int
            The position after which to begin.
        """
        if not subject:  # Which is that of activations.
            return iter(())
        return map(record_of, self._reading.rows(OF_SUBJECT, (self._log, subject, after, self._limit)))

    def last_position(self, subject: str) -> int:
        """The position of the last fact of a subject that `facts` gives; 0 where there is none."""
        if not subject:
            return 0
        found = self._reading.rows(LAST_OF_SUBJECT, (self._log, subject, self._limit))
        return found[0][0] if found else 0

    def subjects(self, after: str = "", limit: int = PAGE) -> list[str]:
        """The subjects of which facts are known as of the decision, by code point.

        Parameters
        ----------
        after : str
            The subject after which to begin.
        limit : int
            How many to give at most.
        """
        log = self._log
        return [row[0] for row in self._reading.rows(SUBJECTS, (log, after, log, log, self._limit, limit))]

    def records(self, after: int = 0, limit: int | None = None) -> Iterator[Record]:
        """What is known, facts and activations, in the order of the log.

        Parameters
        ----------
        after : int
            The position after which to begin.
        limit : int, optional
            How many to give at most.
        """
        last = self.position if limit is None else min(self.position, after + limit)
        while after < last:
            rows = self._reading.rows(AFTER, (self._log, after, last, PAGE))
            if not rows:
                return
            yield from map(record_of, rows)
            after = rows[-1][0]

    def stored(self) -> Iterator[Record]:
        """The facts that are known as of the decision, of all subjects."""
        for record in self.records():
            if record.known_at > self._limit:
                return
            if record.kind == FACT:
                yield record

    def _last_known(self, instant: Instant) -> int:
        """The last position known up to an instant: `known_at` grows with the position, so that halving finds it."""
        low, high = 0, self._head[0]
        if self._head[1] <= instant:
            return high
        while low < high:
            middle = (low + high + 1) // 2
            found = self._reading.rows(KNOWN_AT, (self._log, middle))
            if not found:  # Nothing should be missing; verifying the chain says what is.
                high = middle - 1
            elif found[0][0] <= instant:
                low = middle
            else:
                high = middle - 1
        return low
