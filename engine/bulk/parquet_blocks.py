"""Parquet as blocks of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

import pyarrow

from ..ground.problems import FactError
from ..reach.formats import RawRow
from ..reach.parquet import ParquetRows, _cells, _first_line
from .blocks import Block, Work
from .cells import Array

BLOCK_ROWS = 1 << 17
"""Rows in a block."""


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
    coded : collection of str
        Columns of texts that recur, to be read as dictionaries.

    Raises
    ------
    FactError
        Where it is no Parquet file, or names a column twice.
    """

    last = 0

    def __init__(self, stream: BinaryIO, name: str, ignored: Collection[str] = (), coded: Collection[str] = ()) -> None:
        self._name = name
        self._rows = ParquetRows(stream, name, coded)
        self.columns = self._rows.columns
        self._wanted = [column for column in self.columns if column not in ignored]

    def __iter__(self) -> Iterator[Work]:
        """The blocks in order, each as work that is still to be done."""
        file, broken = self._rows._file, self._rows._broken
        batches = file.iter_batches(batch_size=BLOCK_ROWS, columns=self._wanted)
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
        for name, column in columns.items():
            self._check_texts(name, column, before)

        def raw(places: Sequence[int]) -> list[RawRow]:
            cells = [_cellsat_line(column, places) for column in columns.values()]
            rows = zip(*cells, strict=True)
            return [(before + place + 1, names, list(row)) for place, row in zip(places, rows, strict=True)]

        return Block(batch.num_rows, columns, raw)

    def _check_texts(self, column: str, cells: Array, before: int) -> None:
        """See that texts are UTF-8, which a file may say of them without truth."""
        try:
            cells.validate(full=True)
        except pyarrow.ArrowInvalid:
            cells = cells.dictionary_decode() if pyarrow.types.is_dictionary(cells.type) else cells
            rows = (before + place + 1 for place in range(len(cells)) if not _is_valid(cells.slice(place, 1)))
            row = next(rows, before + 1)
            raise FactError(f"{self._name}: row {row}: column `{column}`: holds bytes that are not UTF-8") from None


def _cellsat_line(column: Array, places: Sequence[int]) -> list[object]:
    try:
        return _cells(column.take(pyarrow.array(places, pyarrow.int64())))
    except pyarrow.ArrowNotImplementedError:
        found = _cells(column)
        return [found[place] for place in places]


def _is_valid(cells: Array) -> bool:
    try:
        cells.validate(full=True)
    except pyarrow.ArrowInvalid:
        return False
    return True
