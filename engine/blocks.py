"""Files as blocks of some ten thousand rows, each a set of Arrow columns (contract, "Facts").

A block of CSV or JSON Lines is read at once where its bytes leave no doubt that this gives the very rows that the
reader of `formats` gives one by one; else by that reader. Any row can be had again as it gives it, with its line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, TypeAlias

import msgspec
import numpy
import pyarrow
import pyarrow.csv
import pyarrow.json

from .cells import Array
from .facts import Type
from .formats import CsvRows, Malformed, RawRow, _json_row, json_rows
from .parquet import ParquetRows, _cells, _first_line
from .problems import FactError

BLOCK = 4 << 20
"""Bytes of CSV and JSON Lines in a block."""

LONGEST_ROW = 100_000
"""Bytes. A block with a longer row is read row by row."""

PARQUET_ROWS = 1 << 17
"""Rows of Parquet in a block."""

SAMPLE = 100
"""Rows of JSON Lines that are looked at to see which type each column has."""

_QUOTE, _COMMA, _LINE_FEED, _RETURN, _OPEN, _CLOSE = b'",\n\r{}'


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


# CSV


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
            self._rows = CsvRows(_Lines(start, self._source), name)
            self.columns = self._rows.columns
        else:
            self.columns = CsvRows(io.BytesIO(self._header), name).columns
            self._header = self._header.removeprefix(b"\xef\xbb\xbf")

    def __iter__(self) -> Iterator[Work]:
        """The blocks in order, each as work that is still to be done."""
        if self._whole:
            yield from _bundled(iter(self._rows))
            return
        source = self._source
        size = BLOCK
        while data := source.read(size):
            if b"\r" in data and data.count(b"\r") > data.count(b"\r\n") + data.endswith(b"\r"):
                yield from _bundled(self._numbered(_Lines(self._header + data, source)))
                return
            quoted = b'"' in data
            ends = _row_ends(data, quoted)
            if ends is None:
                rows = self._until_aligned(data)
                yield partial(one_by_one, rows)
                size = BLOCK
                continue
            end = int(ends[-1]) if len(ends) else 0
            over = len(data) < size
            if end < len(data) and over and data.count(b'"', end) % 2 == 0:
                # The last row has no line end.
                end = len(data)
                ends = numpy.append(ends, end)
            if not end and (over or size > 2 * BLOCK):
                # A row that does not end, or is overlong.
                rows = self._until_aligned(data)
                yield partial(one_by_one, rows)
                size = BLOCK
                continue
            source.pending = data[end:]
            if not end:
                size *= 2
                continue
            size = BLOCK
            block, lines = data[:end], self._lines
            self._lines += block.count(b"\n")
            yield partial(self._block, block, ends, lines)

    def _numbered(self, stream: Any, lines: int | None = None) -> Iterator[RawRow]:
        """The rows of a stream that begins with the header, by their lines in the file."""
        before = (self._lines if lines is None else lines) - 1
        try:
            for row in CsvRows(stream, self._name):
                yield _moved(row, before)
        except FactError as error:
            raise _moved_error(error, self._name, before) from None

    def _until_aligned(self, data: bytes) -> list[RawRow]:
        """The rows of the data one by one, and as far beyond it as the last of them goes."""
        lines = self._lines
        stream = _Lines(self._header + data, self._source)
        sheet = CsvRows(stream, self._name)
        rows: list[RawRow] = []
        try:
            for row in sheet:
                rows.append(_moved(row, lines - 1))
                if stream.aligned:
                    break
        except FactError as error:
            raise _moved_error(error, self._name, lines - 1) from None
        self._lines = lines - 1 + sheet._reader.line_num
        return rows

    def _block(self, block: bytes, ends: Array, lines: int) -> Block:
        """A block that begins and ends with a row."""
        starts = numpy.concatenate(([0], ends[:-1]))
        if int((ends - starts).max()) > LONGEST_ROW or not _is_utf8(block):
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
                found.append(_at(row, number))
            return found

        return Block(rows, cells, raw)


def _at(row: RawRow, number: int) -> RawRow:
    if isinstance(row, Malformed):
        return Malformed(number, row.reason, row.row)
    return number, row[1], row[2]


def _moved(row: RawRow, by: int) -> RawRow:
    return _at(row, (row.number if isinstance(row, Malformed) else row[0]) + by)


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
    lengths -= data[ends - 1] == _LINE_FEED
    return lengths - ((lengths > 0) & (data[starts + numpy.maximum(lengths, 1) - 1] == _RETURN))


def _row_ends(data: bytes, quoted: bool) -> Array | None:
    """Where rows end, from a row's start on; None where quotation marks stand in other places than around cells."""
    bytes_ = numpy.frombuffer(data, numpy.uint8)
    line_ends = numpy.flatnonzero(bytes_ == _LINE_FEED)
    if not quoted:
        return line_ends + 1
    marks = numpy.flatnonzero(bytes_ == _QUOTE)
    opening, closing = marks[0::2], marks[1::2]
    before = numpy.where(opening > 0, bytes_[opening - 1], _LINE_FEED)
    after = bytes_[numpy.minimum(closing + 1, len(data) - 1)]
    fine_before = (before == _COMMA) | (before == _LINE_FEED)
    fine_after = (after == _COMMA) | (after == _LINE_FEED) | (after == _RETURN) | (closing + 1 == len(data))
    # A mark that closes and one that opens again directly behind it are a mark inside the cell.
    doubled = closing[: len(opening) - 1] + 1 == opening[1:]
    fine_before[1:] |= doubled
    fine_after[: len(doubled)] |= doubled
    if not (fine_before.all() and fine_after.all()):
        return None
    inside = numpy.searchsorted(marks, line_ends) % 2
    return line_ends[inside == 0] + 1


def _is_utf8(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


# JSON Lines


class JsonBlocks:
    """The blocks of a file of JSON Lines.

    Parameters
    ----------
    stream : binary file
        UTF-8.
    name : str
        What messages call the file.
    types : mapping
        The columns that may occur, with the types of their fields.
    """

    columns = None

    def __init__(self, stream: BinaryIO, name: str, types: dict[str, Type]) -> None:
        self._source = Source(stream)
        self._name = name
        self._types = types
        self._schema: Any = None

    def __iter__(self) -> Iterator[Work]:
        """The blocks in order, each as work that is still to be done."""
        source = self._source
        lines, size = 0, BLOCK
        while data := source.read(size):
            end = data.rfind(b"\n") + 1
            if not end or len(data) < size:
                if len(data) >= size and size < 4 * BLOCK:
                    source.pending, size = data, size * 2
                    continue
                if len(data) >= size:
                    data += source.line(1 << 40)
                end = len(data)
            block, source.pending = data[:end], data[end:]
            size = BLOCK
            first = lines == 0
            if first:
                block = block.removeprefix(b"\xef\xbb\xbf")
                self._schema = self._guessed(block)
            yield partial(self._block, block, lines, first)
            lines += block.count(b"\n")

    def _guessed(self, block: bytes) -> Any:
        """The types of the columns, by the first rows; the reader refuses what is otherwise."""
        seen: dict[str, set[type]] = {}
        for line in block.split(b"\n", SAMPLE)[:SAMPLE]:
            try:
                row = msgspec.json.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            for key, value in row.items() if isinstance(row, dict) else ():
                if value is not None:
                    seen.setdefault(key, set()).add(type(value))
        by_class = {str: pyarrow.string(), int: pyarrow.int64(), bool: pyarrow.bool_()}
        by_type = {"integer": pyarrow.int64(), "boolean": pyarrow.bool_()}
        fields = []
        for name, type_ in self._types.items():
            classes = seen.get(name, set())
            guessed = by_class.get(next(iter(classes))) if len(classes) == 1 else None
            fields.append((name, guessed or by_type.get(type_.name, pyarrow.string())))
        return pyarrow.schema(fields)

    def _block(self, block: bytes, lines: int, first: bool) -> Block:
        ends = _line_ends(block)
        if ends is None or not _is_utf8(block):
            return self._slow(block, lines, first)
        try:
            table = pyarrow.json.read_json(
                pyarrow.BufferReader(block),
                pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                pyarrow.json.ParseOptions(explicit_schema=self._schema, unexpected_field_behavior="infer"),
            )
        except pyarrow.ArrowException:
            return self._slow(block, lines, first)
        if table.num_rows != len(ends) or table.num_columns > len(self._types):
            return self._slow(block, lines, first)
        columns = {name: table.column(place).combine_chunks() for place, name in enumerate(table.column_names)}

        def raw(places: Sequence[int]) -> list[RawRow]:
            starts = numpy.concatenate(([0], ends[:-1] + 1))
            return [
                _json_row(lines + place + 1, block[int(starts[place]) : int(ends[place])].strip(b" \t\r\n"))
                for place in places
            ]

        return Block(len(ends), columns, raw)

    def _slow(self, block: bytes, lines: int, first: bool) -> Block:
        stream = io.BytesIO(block if first else b"\n" + block)
        return one_by_one([_moved(row, lines - (not first)) for row in json_rows(stream, self._name)])


def _line_ends(block: bytes) -> Array | None:
    """Where lines end, if each begins and ends with the braces of an object and none is overlong."""
    data = numpy.frombuffer(block, numpy.uint8)
    ends = numpy.flatnonzero(data == _LINE_FEED)
    if not block.endswith(b"\n"):
        ends = numpy.append(ends, len(block))
    starts = numpy.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    if int(lengths.min()) < 2 or int(lengths.max()) > LONGEST_ROW:
        return None
    last = data[ends - 1]
    last = numpy.where(last == _RETURN, data[ends - 2], last)
    return ends if (data[starts] == _OPEN).all() and (last == _CLOSE).all() else None


# Parquet


class ParquetBlocks:
    """The blocks of a Parquet file.

    Parameters
    ----------
    stream : binary file
        One that can seek.
    name : str
        What messages call the file.
    ignored : collection of str
        Columns that are not read.

    Raises
    ------
    FactError
        Where it is no Parquet file, or names a column twice.
    """

    def __init__(self, stream: BinaryIO, name: str, ignored: Collection[str] = ()) -> None:
        self._name = name
        self._rows = ParquetRows(stream, name)
        self.columns = self._rows.columns
        self._wanted = [column for column in self.columns if column not in ignored]

    def __iter__(self) -> Iterator[Work]:
        """The blocks in order, each as work that is still to be done."""
        file, broken = self._rows._file, self._rows._broken
        batches = file.iter_batches(batch_size=PARQUET_ROWS, columns=self._wanted)
        number = 0
        while True:
            try:
                batch = next(batches, None)
            except broken as error:
                reason = _first_line(error)
                raise FactError(f"{self._name}: cannot be read after row {number}: {reason}") from None
            if batch is None:
                return
            yield partial(self._block, batch, number)
            number += batch.num_rows

    def _block(self, batch: Any, before: int) -> Block:
        names = tuple(self._wanted)
        columns = dict(zip(names, batch.columns, strict=True))

        def raw(places: Sequence[int]) -> list[RawRow]:
            cells = [_cells(column.take(pyarrow.array(places, pyarrow.int64()))) for column in columns.values()]
            rows = zip(*cells, strict=True)
            return [(before + place + 1, names, list(row)) for place, row in zip(places, rows, strict=True)]

        return Block(batch.num_rows, columns, raw)
