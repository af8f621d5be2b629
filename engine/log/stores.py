"""What the log asks of a database: transactions that read one state, and transactions that write, one at a time.

The statements are the same in every database; where they differ, the store has a method. `?` stands for a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

SCHEMA = 1
"""The version of the tables. A database of a later one is refused, one of an earlier one brought up to date."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record about to be inserted; hashes are bytes."""

    position: int
    known_at: int
    kind: str
    key: str
    subject: str
    content: bytes
    previous: bytes
    hash: bytes


class Reading(Protocol):
    """A transaction that reads one state of the database, whatever others write meanwhile."""

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""

    def close(self) -> None:
        """End the transaction."""


class Writing(Protocol):
    """A transaction that writes, alone; given to a piece of work by `Store.write`, and committed after it."""

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""

    def lock(self, log: int) -> int | None:
        """The tick of a log, to which nobody else can append until the transaction ends; None where it is not had."""

    def alone(self) -> None:
        """Wait until nobody else makes logs or keys, or stores rulesets."""

    def with_keys(self, log: int, kind: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        """Key, subject, content, position, known_at and hash of the records of a kind that have one of the keys."""

    def insert(self, log: int, records: Sequence[NewRecord]) -> None:
        """Insert records at the end of a log."""


class Store(Protocol):
    """A database with the tables of `SCHEMA`; it may be used from many threads."""

    kind: str
    url: str
    near: bool
    """Whether it lies in this process, so that reading a few rows is no waiting."""

    @property
    def writing(self) -> bool:
        """Whether this process is just writing."""

    def read(self) -> Reading:
        """A transaction that reads, to be closed."""

    def glance(self, log: int, subject: str, after: int, most: int, size: int) -> tuple[Any, ...] | None:
        """Of one state: tick, last position, last instant and last activation of a log, and facts of a subject.

        These are those after a position, so many at most, as JSON: position, `known_at` and content, which is `null`
        where it has more than `size` bytes. None, where the log is not had, or the database is not `near`.
        """

    def write(self, work: Callable[[Writing], Answer]) -> Answer:
        """Do a piece of work and commit it, durably; where the database says so, do it anew from the start."""

    def try_write(self, work: Callable[[Writing], Answer]) -> Answer | None:
        """The same, or None where another writes."""

    def backup(self, path: str) -> None:
        """Write a copy of one state of the database to a new file, while others read and write."""

    def check(self) -> list[str]:
        """What is wrong with the files of the database, as far as it can tell."""

    def close(self) -> None:
        """Close all connections."""


def read(store: Store, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """What a statement gives, in a transaction of its own."""
    reading = store.read()
    try:
        return reading.rows(statement, parameters)
    finally:
        reading.close()
