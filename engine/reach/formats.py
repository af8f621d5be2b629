"""Rows out of bytes: JSON Lines and CSV, each row with its line and none larger than can be held.

A row that cannot be read is given as `Malformed` and does not stop the reading; what leaves the rest unreadable does.
"""

from __future__ import annotations

import codecs
import csv
import functools
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, TypeAlias

from ..ground.problems import FactError, shorten

MOST_IN_ROW = 4_000_000
"""How many bytes of JSON, or characters of CSV, a row may have."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A row that cannot be read: its number, why, and what there is of it."""

    number: int
    reason: str
    row: object


RawRow: TypeAlias = "tuple[int, tuple[str, ...], list[object]] | Malformed"
"""A row's number (the line where it starts, from 1), its columns and its cells; or why it cannot be read."""


def refuse_other_encodings(start: bytes, name: str) -> None:
    """Refuse text that says by its first bytes that it is not UTF-8.

    Raises
    ------
    FactError
        Where it begins with the byte order mark of UTF-16.
    """
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FactError(f"{name}: the text is UTF-16; save it as UTF-8")


class _Unusable(ValueError):
    """What the JSON hooks raise: a reason."""


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Unusable(f"the key `{shorten(twice, 40)}` occurs twice")
    return found


def _constant(text: str) -> NoReturn:
    raise _Unusable(f"`{text}` is no number of JSON")


def _long_integer(digits: str) -> int:
    # Python refuses to read some thousands of digits; of so many a few say as well that they are too many.
    return int(digits[:110])


_exact = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_long_integer)


@functools.cache
def _quick() -> tuple[Callable[[bytes], object], tuple[type[Exception], ...]]:
    """The quick reader of a line of JSON, and what it raises; who reads none need not wait for the library."""
    import msgspec

    return msgspec.json.Decoder().decode, (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def _json_row(number: int, line: bytes) -> RawRow:
    """The row of a line of JSON."""
    quick, fails = _quick()
    try:
        row = quick(line)
    except fails:
        return _exact_json_row(number, line)
    if isinstance(row, dict):
        # Where a key occurred twice, there are more quotation marks than those of the keys and texts that are left.
        cells = list(row.values())
        if line.count(b'"') == 2 * (len(cells) + [cell.__class__ for cell in cells].count(str)):
            return number, tuple(row), cells
    return _exact_json_row(number, line)


def _exact_json_row(number: int, line: bytes) -> RawRow:
    """The same, slowly, with the reason where there is one."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        reason = f"the byte 0x{line[error.start]:02X} at column {error.start + 1} is not UTF-8; save the file as UTF-8"
        return Malformed(number, reason, line[:1000].decode(errors="backslashreplace"))
    try:
        row = _exact.decode(text)
    except json.JSONDecodeError as error:
        what = (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at")
        return Malformed(number, f"the line is no JSON: {what} at column {error.colno}", text[:1000])
    except _Unusable as error:
        return Malformed(number, str(error), text[:1000])
    except RecursionError:
        return Malformed(number, "the line is nested too deeply", text[:1000])
    if not isinstance(row, dict):
        return Malformed(number, 'expected an object, such as `{"kind": …, "at": …}`', text[:1000])
    return number, tuple(row), list(row.values())


def json_rows(stream: BinaryIO, name: str) -> Iterator[RawRow]:
    """The rows of JSON Lines: one object a line; empty lines are none.

    Parameters
    ----------
    stream : binary file
        UTF-8, with or without a byte order mark.
    name : str
        What messages call the file.

    Raises
    ------
    FactError
        Where the file is one array, or is not UTF-8 by its first bytes.
    """
    number = 0
    while line := stream.readline(MOST_IN_ROW + 1):
        number += 1
        if number == 1:
            refuse_other_encodings(line, name)
            line = line.removeprefix(codecs.BOM_UTF8)
            if line.lstrip().startswith(b"["):
                raise FactError(f"{name}: the file is an array; expected JSON Lines: one object a line")
        if len(line) > MOST_IN_ROW and not line.endswith(b"\n"):
            yield Malformed(
                number, f"the line is longer than {MOST_IN_ROW:,} bytes", line[:1000].decode(errors="backslashreplace")
            )
            while line and not line.endswith(b"\n"):
                line = stream.readline(MOST_IN_ROW)
            continue
        line = line.strip(b" \t\r\n")
        if line:
            yield _json_row(number, line)


class _TooLong(Exception):
    """A row of CSV that is longer than can be held."""


class CsvRows:
    """The rows of a CSV file: its header, then an iterator of rows.

    Cells are separated by commas; one with a comma, a line end or a quotation mark stands in quotation marks. Empty
    lines are no rows. Bytes that are not UTF-8 come as lone surrogates, which no text may hold.

    Parameters
    ----------
    stream : binary file
        UTF-8, with or without a byte order mark.
    name : str
        What messages call the file.

    Raises
    ------
    FactError
        Where there is no header, it names a column twice or not at all, or cannot be read.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self.columns: tuple[str, ...] = ()
        self._taken = 0
        self._line = ""
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(self._lines(), strict=True)
        self.columns = self._header()

    def close(self) -> None:
        """Leave the stream to whom it belongs."""
        self._text.detach()

    def _lines(self) -> Iterator[str]:
        read = self._text.readline
        while line := read(MOST_IN_ROW + 1):
            self._taken += len(line)
            if self._taken > MOST_IN_ROW:
                raise _TooLong
            self._line = line
            yield line

    def _header(self) -> tuple[str, ...]:
        found = next(iter(self), None)
        if found is None:
            raise FactError(f"{self._name}: is empty; expected a header, such as `kind,at,…`")
        if isinstance(found, Malformed):
            raise FactError(f"{self._name}:{found.number}: {found.reason}")
        columns = tuple(str(column) for column in found[2])
        seen: set[str] = set()
        for place, column in enumerate(columns, 1):
            byte = undecodable(column)
            if byte:
                raise FactError(f"{self._name}:{found[0]}: the header {byte}")
            if not column:
                raise FactError(f"{self._name}:{found[0]}: column {place} of the header has no name")
            if column in seen:
                raise FactError(f"{self._name}:{found[0]}: the header names the column `{shorten(column, 40)}` twice")
            seen.add(column)
        return columns

    def __iter__(self) -> Iterator[RawRow]:
        reader = self._reader
        columns = self.columns
        width = len(columns)
        while True:
            start = reader.line_num + 1
            self._taken = 0
            try:
                cells: list[object] = [*next(reader)]
            except StopIteration:
                return
            except (csv.Error, _TooLong) as error:
                yield self._malformed(start, reader.line_num, error)
                continue
            if not cells:
                continue
            if width and len(cells) != width:
                yield Malformed(
                    start, f"the row has {counted(len(cells), 'cell')}, the header {counted(width, 'column')}", cells
                )
            else:
                yield start, columns, cells

    def _malformed(self, start: int, last: int, error: Exception) -> Malformed:
        """What to say of a row that the reader gives up. Behind one of several lines none knows where a row starts."""
        too_long = isinstance(error, _TooLong) or "limit" in str(error)
        if last > start or isinstance(error, _TooLong):
            reason = "the row is too long to be read" if too_long else _quotation(error)
            raise FactError(f"{self._name}:{start}: {reason}; is a quotation mark missing?")
        reason = (
            f"the row has a cell of more than {csv.field_size_limit():,} characters" if too_long else _quotation(error)
        )
        return Malformed(start, reason, self._line[:1000])


def _quotation(error: Exception) -> str:
    """What is wrong with a row's quotation marks."""
    if "end of data" in str(error):
        return "the row ends inside quotation marks"
    return "the row goes on behind a closing quotation mark; inside quotation marks, write two for one"


def undecodable(cell: object) -> str:
    r"""What to say of a cell of CSV that holds bytes which are not UTF-8; else nothing.

    Examples
    --------
    >>> undecodable("\udcb0")
    'holds the byte 0xB0, which is not UTF-8; save the file as UTF-8'
    """
    if not isinstance(cell, str) or cell.isascii():
        return ""
    half = next((ord(c) for c in cell if "\udc80" <= c <= "\udcff"), None)
    return "" if half is None else f"holds the byte 0x{half - 0xDC00:02X}, which is not UTF-8; save the file as UTF-8"


def counted(number: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "cell"), counted(1200, "cell")
    ('1 cell', '1,200 cells')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
