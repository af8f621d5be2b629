"""CSV as blocks of rows."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

import numpy
import pyarrow
import pyarrow.csv

from ..ground.problems import FactError
from ..reach.formats import CsvRows, RawRow
from . import blocks
from .blocks import LINE_FEED, RETURN, Block, Source, Work, at_line, is_utf8, moved, one_by_one
from .cells import Array

_QUOTE, _COMMA = b'",'


class _Lines(io.BufferedIOBase):
    """A stream that gives no more than a line at a time, so that whoever reads a row has not read beyond it."""

    def __init__(self, start: bytes, source: Source) -> None:
        self._start = io.BytesIO(start)
        self._left = len(start)
        self._source = source
        self._torn = False

    @property
    def aligned(self) -> bool:
        """Whether a row that was just read is the last that begins in the start, and nothing was read beyond it."""
        return self._left == 0 and not self._torn

    def readable(self) -> bool:
        """Yes."""
        return True

    def read1(self, size: int = -1, /) -> bytes:
        """The next line, or so many bytes of it."""
        if self._left:
            found = self._start.readline(size)
            self._left -= len(found)
            if self._left or found.endswith(b"\n"):
                return found
            # The start ends inside a line.
            found += self._source.line(1 << 13)
        else:
            found = self._source.line(size if size > 0 else 1 << 13)
        # Mere returns end lines too: whoever reads lines keeps what is behind them.
        self._torn = self._torn or b"\r" in found.removesuffix(b"\r\n")
        return found

    def read(self, size: int | None = -1, /) -> bytes:
        """The next line."""
        return self.read1(-1 if size is None else size)


def _as_file(stream: Any) -> BinaryIO:
    found: BinaryIO = stream
    return found


class CsvBlocks:
    """The blocks of a CSV file, behind its header.

    Parameters
    ----------
    stream : binary file
        UTF-8.
    name : str
        What messages call the file.

    Raises
    ------
    FactError
        Where there is no usable header.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._source = Source(stream)
        self._name = name
        start = self._source.line(1 << 20)
        self._whole = b'"' in start or b"\r" in start.removesuffix(b"\r\n") or not start.strip()
        self._header = start if start.endswith(b"\n") else start + b"\n"
        self._lines = 1
        if self._whole:
            # A header that goes over several lines, or a file of lines that end by mere returns.
            self._rows = CsvRows(_as_file(_Lines(start, self._source)), name)
            self.columns = self._rows.columns
        else:
            self.columns = CsvRows(io.BytesIO(self._header), name).columns
            self._header = self._header.removeprefix(b"\xef\xbb\xbf")

    @property
    def last(self) -> int:
        """The line up to which blocks were given; 0 where there was none."""
        return self._lines if self._lines > 1 else 0

    def __iter__(self) -> Iterator[Work]:
        """The blocks in order, each as work that is still to be done."""
        if self._whole:
            yield from _bundled(iter(self._rows))
            return
        source = self._source
        size = blocks.BLOCK
        while data := source.read(size):
            if b"\r" in data and data.count(b"\r") > data.count(b"\r\n") + data.endswith(b"\r"):
                yield from _bundled(self._numbered(_Lines(self._header + data, source)))
                return
            quoted = b'"' in data
            ends = _row_ends(data, quoted)
            if ends is None:
                rows = self._until_aligned(data)
                yield partial(one_by_one, rows)
                size = blocks.BLOCK
                continue
            end = int(ends[-1]) if len(ends) else 0
            over = len(data) < size
            if end < len(data) and over and data.count(b'"', end) % 2 == 0:
                # The last row has no line end.
                end = len(data)
                ends = numpy.append(ends, end)
            if not end and (over or size > 2 * blocks.BLOCK):
                # A row that does not end, or is overlong.
                rows = self._until_aligned(data)
                yield partial(one_by_one, rows)
                size = blocks.BLOCK
                continue
            source.pending = data[end:]
            if not end:
                size *= 2
                continue
            size = blocks.BLOCK
            block, lines = data[:end], self._lines
            self._lines += block.count(b"\n")
            yield partial(self._block, block, ends, lines)

    def _numbered(self, stream: Any, lines: int | None = None) -> Iterator[RawRow]:
        """The rows of a stream that begins with the header, by their lines in the file."""
        before = (self._lines if lines is None else lines) - 1
        try:
            for row in CsvRows(stream, self._name):
                yield moved(row, before)
        except FactError as error:
            raise _moved_error(error, self._name, before) from None

    def _until_aligned(self, data: bytes) -> list[RawRow]:
        """The rows of the data one by one, and as far beyond it as the last of them goes."""
        lines = self._lines
        stream = _Lines(self._header + data, self._source)
        sheet = CsvRows(_as_file(stream), self._name)
        rows: list[RawRow] = []
        try:
            for row in sheet:
                rows.append(moved(row, lines - 1))
                if stream.aligned:
                    break
        except FactError as error:
            raise _moved_error(error, self._name, lines - 1) from None
        self._lines = lines - 1 + sheet._reader.line_num
        return rows

    def _block(self, block: bytes, ends: Array, lines: int) -> Block:
        """A block that begins and ends with a row."""
        starts = numpy.concatenate(([0], ends[:-1]))
        if int((ends - starts).max()) > blocks.LONGEST_ROW or not is_utf8(block):
            return one_by_one(list(self._numbered(io.BytesIO(self._header + block), lines)))
        wrong: list[object] = []

        def skip(row: object) -> str:
            wrong.append(row)
            return "skip"

        columns = list(self.columns)
        table = pyarrow.csv.read_csv(
            pyarrow.BufferReader(block),
            pyarrow.csv.ReadOptions(use_threads=False, column_names=columns, block_size=len(block) + 1),
            pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pyarrow.string()), check_utf8=False, strings_can_be_null=False
            ),
        )
        if wrong:
            return one_by_one(list(self._numbered(io.BytesIO(self._header + block), lines)))
        rows = table.num_rows
        cells = {name: table.column(place).combine_chunks() for place, name in enumerate(columns)}

        def raw(places: Sequence[int]) -> list[RawRow]:
            full = numpy.flatnonzero(_row_lengths(block, starts, ends) > 0)
            picked = [(int(starts[full[place]]), int(ends[full[place]])) for place in places]
            text = b"".join(block[start:end] for start, end in picked)
            found: list[RawRow] = []
            for (start, _), row in zip(picked, CsvRows(io.BytesIO(self._header + text), self._name), strict=True):
                number = lines + block.count(b"\n", 0, start) + 1
                found.append(at_line(row, number))
            return found

        return Block(rows, cells, raw)


def _moved_error(error: FactError, name: str, by: int) -> FactError:
    """An error that names a line, with the line in the file."""
    found = re.fullmatch(r"([0-9]+)(:.*)", str(error).removeprefix(f"{name}:"), re.DOTALL)
    return FactError(f"{name}:{int(found[1]) + by}{found[2]}") if found else error


def _bundled(rows: Iterator[RawRow]) -> Iterator[Work]:
    """Rows one by one, some thousands at a time."""
    bundle: list[RawRow] = []
    for row in rows:
        bundle.append(row)
        if len(bundle) == 10_000:
            yield partial(one_by_one, bundle)
            bundle = []
    yield partial(one_by_one, bundle)


def _row_lengths(block: bytes, starts: Array, ends: Array) -> Array:
    """How many bytes each row has without its line end; an empty one is no row."""
    data = numpy.frombuffer(block, numpy.uint8)
    lengths = ends - starts
    lengths -= data[ends - 1] == LINE_FEED
    return lengths - ((lengths > 0) & (data[starts + numpy.maximum(lengths, 1) - 1] == RETURN))


def _row_ends(data: bytes, quoted: bool) -> Array | None:
    """Where rows end, from a row's start on; None where quotation marks stand in other places than around cells."""
    bytes_ = numpy.frombuffer(data, numpy.uint8)
    line_ends = numpy.flatnonzero(bytes_ == LINE_FEED)
    if not quoted:
        return line_ends + 1
    marks = numpy.flatnonzero(bytes_ == _QUOTE)
    opening, closing = marks[0::2], marks[1::2]
    before = numpy.where(opening > 0, bytes_[opening - 1], LINE_FEED)
    after = bytes_[numpy.minimum(closing + 1, len(data) - 1)]
    fine_before = (before == _COMMA) | (before == LINE_FEED)
    fine_after = (after == _COMMA) | (after == LINE_FEED) | (after == RETURN) | (closing + 1 == len(data))
    # A mark that closes and one that opens again directly behind it are a mark inside the cell.
    doubled = closing[: len(opening) - 1] + 1 == opening[1:]
    fine_before[1:] |= doubled
    fine_after[: len(doubled)] |= doubled
    if not (fine_before.all() and fine_after.all()):
        return None
    inside = numpy.searchsorted(marks, line_ends) % 2
    return line_ends[inside == 0] + 1
