"""Parquet, by pyarrow, which comes with the extra `batch`: rows of facts in, tables of conclusions out."""

from __future__ import annotations

import contextlib
import datetime
import decimal
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from ..ground.problems import FactError, RunError, shorten
from .formats import RawRow

ROWS_AT_ONCE = 4_096

_EPOCH = datetime.datetime(1970, 1, 1)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def arrow(what: str = "Parquet", extra: str = "batch") -> Any:
    """The module pyarrow.

    Raises
    ------
    RunError
        Where it is not installed; the message names the extra that brings it.
    """
    try:
        import pyarrow
    except ImportError:
        raise RunError(f"{what} needs pyarrow: `pip install 'strikeout[{extra}]'`") from None
    return pyarrow


class ParquetRows:
    """The rows of a Parquet file: its columns, then an iterator of rows, counted from 1.

    Timestamps and dates come as Python's (a naive one is local to the ruleset), whole decimals as integers. What has no
    place in Python's comes as text, for the binder to say what is wrong with it.

    Parameters
    ----------
    stream : binary file
        One that can seek.
    name : str
        What messages call the file.
    coded : collection of str
        Columns of texts that recur, to be read as dictionaries.

    Raises
    ------
    RunError
        Where pyarrow is not installed.
    FactError
        Where it is no Parquet file, or names a column twice.
    """

    def __init__(self, stream: BinaryIO, name: str, coded: Collection[str] = ()) -> None:
        self._name = name
        pyarrow = arrow()
        from pyarrow import parquet

        self._broken = (pyarrow.ArrowException, OSError)
        try:
            metadata = parquet.read_metadata(stream)
            held = {metadata.schema.column(number).path for number in range(metadata.num_columns)} & set(coded)
            self._file = parquet.ParquetFile(stream, metadata=metadata, pre_buffer=False, read_dictionary=sorted(held))
        except self._broken as error:
            raise FactError(f"{name}: cannot be read as Parquet: {_first_line(error)}") from None
        self.columns = tuple(str(column) for column in self._file.schema_arrow.names)
        seen: set[str] = set()
        for column in self.columns:
            if column in seen:
                raise FactError(f"{name}: names the column `{shorten(column, 40)}` twice")
            seen.add(column)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __iter__(self) -> Iterator[RawRow]:
        number = 0
        batches = self._file.iter_batches(batch_size=ROWS_AT_ONCE)
        while True:
            try:
                batch = next(batches, None)
                columns = None if batch is None else [_cells(column) for column in batch.columns]
            except self._broken as error:
                message = f"cannot be read after row {number}: {_first_line(error)}"
                raise FactError(f"{self._name}: {message}") from None
            if columns is None:
                return
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, self.columns, list(cells)


def _first_line(error: BaseException) -> str:
    return shorten(str(error).partition("\n")[0], 200)


def _cells(column: Any) -> list[object]:
    """A column's values as Python's."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_duration(kind):
        made = _duration if pyarrow.types.is_duration(kind) else _zoned if kind.tz is not None else _local
        counts = column.cast(pyarrow.int64()).to_pylist()
        scale = 10**9 // _PER_SECOND[kind.unit]
        return [None if count is None else made(count * scale) for count in counts]
    found: list[object] = column.to_pylist()
    if pyarrow.types.is_decimal(kind) and kind.scale <= 0:
        return [int(value) if isinstance(value, decimal.Decimal) else value for value in found]
    return found


def _zoned(nanoseconds: int) -> object:
    """An instant, by the nanoseconds since 1970 UTC."""
    found = _local(nanoseconds)
    return found.replace(tzinfo=datetime.UTC) if isinstance(found, datetime.datetime) else f"{found}Z"


def _local(nanoseconds: int) -> object:
    """A local time, by the nanoseconds since 1970 of its clock; as text where Python has no such time."""
    microseconds, finer = divmod(nanoseconds, 1_000)
    try:
        found = _EPOCH + datetime.timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{nanoseconds} ns"
    return f"{found.isoformat(timespec='microseconds')}{finer:03}" if finer else found


def _duration(nanoseconds: int) -> object:
    """A duration; as text where it is finer than microseconds."""
    microseconds, finer = divmod(nanoseconds, 1_000)
    if not finer:
        with contextlib.suppress(OverflowError):
            return datetime.timedelta(microseconds=microseconds)
    seconds, rest = divmod(abs(nanoseconds), 10**9)
    return f"{'-' if nanoseconds < 0 else ''}PT{seconds}.{rest:09}S"
