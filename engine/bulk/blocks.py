"""Blocks: some ten thousand rows of a file, each a set of Arrow columns (contract, "Facts").

A block of CSV or JSON Lines is read at once where its bytes leave no doubt that this gives the very rows that the
reader of `formats` gives one by one; else by that reader. Any row can be had again as it gives it, with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from ..reach.formats import Malformed, RawRow
from .cells import Array

BLOCK = 4 << 20
"""Bytes of CSV and JSON Lines in a block."""

LONGEST_ROW = 100_000
"""Bytes. A block with a longer row is read row by row."""

LINE_FEED, RETURN = b"\n\r"


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a file.

    Attributes
    ----------
    rows : int
        How many, without those that cannot be read.
    columns : dict or None
        Arrow arrays by name; None where the rows were read one by one.
    raw : callable
        Gives rows of the block, by their places, as the reader of `formats` gives them.
    """

    rows: int
    columns: dict[str, Array] | None
    raw: Callable[[Sequence[int]], list[RawRow]]


def one_by_one(rows: list[RawRow]) -> Block:
    """A block of rows that were read one by one."""
    return Block(len(rows), None, lambda places: [rows[place] for place in places])


Work: TypeAlias = Callable[[], Block]
"""Gives a block; any thread may do it."""


class Source:
    """Bytes that are still to be read: some that were read too far, then a stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.pending = b""

    def read(self, size: int) -> bytes:
        """The next bytes, about so many; none at the end."""
        found, self.pending = self.pending, b""
        if len(found) >= size:
            return found
        return found + self.stream.read(size - len(found)) if found else self.stream.read(size)

    def line(self, size: int) -> bytes:
        """The next line, or so many bytes of it."""
        if not self.pending:
            return self.stream.readline(size)
        end = self.pending.find(b"\n", 0, size) + 1
        if not end and len(self.pending) < size:
            found, self.pending = self.pending, b""
            return found + self.stream.readline(size - len(found))
        end = end or size
        found, self.pending = self.pending[:end], self.pending[end:]
        return found


def at_line(row: RawRow, number: int) -> RawRow:
    """A row with another number."""
    if isinstance(row, Malformed):
        return Malformed(number, row.reason, row.row)
    return number, row[1], row[2]


def moved(row: RawRow, by: int) -> RawRow:
    """A row with its number moved."""
    return at_line(row, (row.number if isinstance(row, Malformed) else row[0]) + by)


def is_utf8(block: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True
