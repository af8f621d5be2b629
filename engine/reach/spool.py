"""A pile of records that are put in by any subject and taken out subject by subject, in bounded memory.

What has been put in is kept in memory up to a budget, then written to the disk sorted by subject; taking out merges
what was written. The files have no name and are gone with the process, however it ends.
"""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterator
from operator import itemgetter
from typing import IO, TypeAlias

import msgspec

from ..ground.problems import RunError

BUDGET = 64 << 20
"""How many bytes are kept in memory before they are written to the disk, roughly."""

MOST_RUNS = 64
"""How many sorted files are merged at once."""

Group: TypeAlias = tuple[str, list[bytes]]
"""A subject and its records, in the order in which they were put in."""

_HEAD = struct.Struct("<IQ")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode


class Spool:
    """Groups records by subject.

    Parameters
    ----------
    budget : int
        How many bytes to keep in memory, roughly.

    Raises
    ------
    RunError
        On `add` and `groups`, where the disk takes no more.

    Examples
    --------
    >>> with Spool(budget=0) as spool:
    ...     for subject, record in [("b", b"1"), ("a", b"2"), ("b", b"3")]:
    ...         spool.add(subject, record)
    ...     list(spool.groups())
    [('a', [b'2']), ('b', [b'1', b'3'])]
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._size = 0
        self._kept: dict[str, list[bytes]] = {}
        self._levels: list[list[IO[bytes]]] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything, and free the disk."""
        self._kept.clear()
        for level in self._levels:
            for file in level:
                file.close()
        self._levels.clear()

    def add(self, subject: str, record: bytes) -> None:
        """Put in a record of a subject."""
        records = self._kept.get(subject)
        if records is None:
            self._kept[subject] = [record]
            self._size += 300 + len(record)
        else:
            records.append(record)
            self._size += 48 + len(record)
        if self._size > self._budget:
            self._write(0, iter(sorted(self._kept.items(), key=itemgetter(0))))
            self._kept.clear()
            self._size = 0

    def groups(self) -> Iterator[Group]:
        """The subjects by code point, each with its records. It may be called again once it has ended."""
        # Of one subject the older records come first: those that were merged more often.
        runs = [_read(file) for level in reversed(self._levels) for file in level]
        return _grouped([*runs, iter(sorted(self._kept.items(), key=itemgetter(0)))])

    def _write(self, level: int, groups: Iterator[Group]) -> None:
        """Write sorted groups to a file of a level; where the level is full, merge its files into one of the next."""
        try:
            file = tempfile.TemporaryFile(prefix="strikeout-", buffering=1 << 16)  # noqa: SIM115
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(file)
            for subject, records in groups:
                name, body = subject.encode(), _encode(records)
                file.write(_HEAD.pack(len(name), len(body)))
                file.write(name)
                file.write(body)
            file.flush()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            folder = tempfile.gettempdir()
            raise RunError(
                f"cannot write to the temporary folder `{folder}` (set TMPDIR for another): {reason}"
            ) from None
        if len(self._levels[level]) == MOST_RUNS:
            full, self._levels[level] = self._levels[level], []
            self._write(level + 1, _grouped([_read(run) for run in full]))
            for run in full:
                run.close()


def _read(file: IO[bytes]) -> Iterator[Group]:
    """The groups of a sorted file."""
    file.seek(0)
    while head := file.read(_HEAD.size):
        length, size = _HEAD.unpack(head)
        yield file.read(length).decode(), _decode(file.read(size))


def _grouped(runs: list[Iterator[Group]]) -> Iterator[Group]:
    """Sorted groups merged, those of one subject into one."""
    subject, records = "", list[bytes]()
    begun = False
    for name, more in heapq.merge(*runs, key=itemgetter(0)):
        if begun and name == subject:
            records.extend(more)
            continue
        if begun:
            yield subject, records
        subject, records, begun = name, list(more), True
    if begun:
        yield subject, records
