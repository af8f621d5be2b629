"""JSON Lines as blocks of rows."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

import msgspec
import numpy
import pyarrow
import pyarrow.json

from ..facts import Type
from ..reach.formats import RawRow, _json_row, json_rows
from . import blocks
from .blocks import LINE_FEED, RETURN, Block, Source, Work, is_utf8, moved, one_by_one
from .cells import Array

SAMPLE = 100
"""Rows that are looked at to see which type each column has."""

_OPEN, _CLOSE = b"{}"


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
        self.last = 0

    def __iter__(self) -> Iterator[Work]:
        """The blocks in order, each as work that is still to be done."""
        source = self._source
        size = blocks.BLOCK
        while data := source.read(size):
            end = data.rfind(b"\n") + 1
            if not end or len(data) < size:
                if len(data) >= size and size < 4 * blocks.BLOCK:
                    source.pending, size = data, size * 2
                    continue
                if len(data) >= size:
                    data += source.line(1 << 40)
                end = len(data)
            block, source.pending = data[:end], data[end:]
            size = blocks.BLOCK
            lines, first = self.last, not self.last
            if first:
                block = block.removeprefix(b"\xef\xbb\xbf")
                self._schema = self._guessed(block)
            yield partial(self._block, block, lines, first)
            self.last += block.count(b"\n")

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
        if ends is None or not is_utf8(block):
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
        return one_by_one([moved(row, lines - (not first)) for row in json_rows(stream, self._name)])


def _line_ends(block: bytes) -> Array | None:
    """Where lines end, if each begins and ends with the braces of an object and none is overlong."""
    data = numpy.frombuffer(block, numpy.uint8)
    ends = numpy.flatnonzero(data == LINE_FEED)
    if not block.endswith(b"\n"):
        ends = numpy.append(ends, len(block))
    starts = numpy.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    if int(lengths.min()) < 2 or int(lengths.max()) > blocks.LONGEST_ROW:
        return None
    last = data[ends - 1]
    last = numpy.where(last == RETURN, data[ends - 2], last)
    return ends if (data[starts] == _OPEN).all() and (last == _CLOSE).all() else None
