"""Conclusions as tables for programs: JSON Lines, CSV, Parquet, Arrow and pandas (contract, "Commands")."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Protocol

from ..facts import BOOLEAN, DURATION, INTEGER, TIME, Type, Value
from ..ground.problems import RunError
from ..machine.timeline import Entry
from ..model import Ruleset
from ..speech.outcome import record, rule_of, to_json
from .parquet import arrow

ROWS_AT_ONCE = 65_536
"""How many conclusions make a row group of Parquet."""


class Writer(Protocol):
    """Writes conclusions to a binary file, subject by subject."""

    def add(self, entries: Iterable[Entry]) -> None:
        """Write the conclusions of a subject."""

    def finish(self) -> None:
        """Write what is left; the file stays open."""


def columns(ruleset: Ruleset) -> list[tuple[str, Type | None]]:
    """The columns of conclusions as a table, with the types of the fields: subject, kind, at, fields, rule."""
    fields = {field.name: field.type for kind in ruleset.derivable for field in kind.fields}
    return [(ruleset.subject, None), ("kind", None), ("at", TIME), *fields.items(), ("rule", None)]


class JsonLines:
    """One conclusion a line."""

    def __init__(self, file: BinaryIO, ruleset: Ruleset) -> None:
        self._file, self._ruleset = file, ruleset

    def add(self, entries: Iterable[Entry]) -> None:
        """Write the conclusions of a subject."""
        ruleset = self._ruleset
        lines = [to_json(record(ruleset, entry.fact, rule_of(entry))) for entry in entries]
        if lines:
            self._file.write(("\n".join(lines) + "\n").encode())

    def finish(self) -> None:
        """Nothing is left."""


class Csv:
    """A header, then one conclusion a row; what is missing is an empty cell, lines end in a line feed."""

    def __init__(self, file: BinaryIO, ruleset: Ruleset) -> None:
        self._file, self._ruleset = file, ruleset
        self._names = [name for name, _ in columns(ruleset)]
        self._write([self._names])

    def add(self, entries: Iterable[Entry]) -> None:
        """Write the conclusions of a subject."""
        ruleset = self._ruleset
        rows = []
        for entry in entries:
            found = record(ruleset, entry.fact, rule_of(entry))
            cells = map(found.get, self._names)
            rows.append(["" if c is None else ("true" if c else "false") if isinstance(c, bool) else c for c in cells])
        if rows:
            self._write(rows)

    def _write(self, rows: Iterable[Sequence[str | int]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._file.write(text.getvalue().encode())

    def finish(self) -> None:
        """Nothing is left."""


class Parquet:
    """A Parquet file with the schema of `to_arrow`; needs the extra `batch`.

    Raises
    ------
    RunError
        Where pyarrow is not installed.
    """

    def __init__(self, file: BinaryIO, ruleset: Ruleset) -> None:
        self._schema = schema(ruleset)
        self._ruleset = ruleset
        self._writer = parquet_writer(file, ruleset)
        self._waiting: list[Entry] = []

    def add(self, entries: Iterable[Entry]) -> None:
        """Write the conclusions of a subject, once there are enough for a row group."""
        self._waiting.extend(entries)
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(_arrow_table(self._ruleset, self._waiting, self._schema))
        self._waiting = []

    def finish(self) -> None:
        """Write the last row group and the file's end."""
        if self._waiting:
            self._flush()
        self._writer.close()


def parquet_writer(file: BinaryIO, ruleset: Ruleset) -> Any:
    """A `pyarrow.parquet.ParquetWriter` for conclusions.

    Dictionaries are made of what recurs: kinds, rules and enums. To try them on ids and instants takes time, and room.
    The least and the greatest value of a group are noted of what conclusions are ordered by: the subject and `at`.

    Parameters
    ----------
    file : binary file
        Where to write.
    ruleset : Ruleset
        Whose conclusions they are.

    Raises
    ------
    RunError
        Where pyarrow is not installed.
    """
    arrow_schema = schema(ruleset)
    from pyarrow import parquet

    ordered = [ruleset.subject, "at"]
    recurring = ["kind", "rule", *(name for name, type_ in columns(ruleset) if type_ is not None and type_.members)]
    return parquet.ParquetWriter(
        file, arrow_schema, compression="zstd", use_dictionary=recurring, write_statistics=ordered
    )


WRITERS: dict[str, type[JsonLines] | type[Csv] | type[Parquet]] = {"jsonl": JsonLines, "csv": Csv, "parquet": Parquet}
"""Writers by the name of their format."""


def schema(ruleset: Ruleset) -> Any:
    """The columns of conclusions as a pyarrow schema.

    Times are timestamps in microseconds with the ruleset's time zone, durations durations in microseconds, integers 64
    bits; ids, texts and members of enums are strings.

    Raises
    ------
    RunError
        Where pyarrow is not installed.
    """
    pyarrow = arrow()
    types = {
        TIME: pyarrow.timestamp("us", tz=ruleset.zone.name),
        DURATION: pyarrow.duration("us"),
        INTEGER: pyarrow.int64(),
        BOOLEAN: pyarrow.bool_(),
    }
    required = (ruleset.subject, "kind", "at", "rule")
    return pyarrow.schema(
        pyarrow.field(name, types.get(type_, pyarrow.string()) if type_ else pyarrow.string(), name not in required)
        for name, type_ in columns(ruleset)
    )


def to_arrow(ruleset: Ruleset, entries: Sequence[Entry]) -> Any:
    """Conclusions as a pyarrow table; needs the extra `batch`.

    Raises
    ------
    RunError
        Where pyarrow is not installed.
    """
    return _arrow_table(ruleset, entries, schema(ruleset))


def _arrow_table(ruleset: Ruleset, entries: Sequence[Entry], arrow_schema: Any) -> Any:
    import pyarrow

    names = [name for name, _ in columns(ruleset)][3:-1]
    fields: list[list[Value]] = [[entry.fact.get(name) for entry in entries] for name in names]
    data: list[Sequence[Value]] = [
        [entry.fact.subject for entry in entries],
        [entry.fact.kind.name for entry in entries],
        [entry.fact.at for entry in entries],
        *fields,
        [rule_of(entry) for entry in entries],
    ]
    arrays = [pyarrow.array(found, type=field.type) for found, field in zip(data, arrow_schema, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=arrow_schema)


def to_pandas(ruleset: Ruleset, entries: Sequence[Entry]) -> Any:
    """Conclusions as a pandas data frame; needs the extra `frames`. Where some are missing, integers stay integers.

    Raises
    ------
    RunError
        Where pandas or pyarrow is not installed.
    """
    pyarrow = arrow("a data frame", "frames")
    try:
        import pandas
    except ImportError:
        raise RunError("a data frame needs pandas: `pip install 'strikeout[frames]'`") from None
    kept = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
    return to_arrow(ruleset, entries).to_pandas(types_mapper=kept.get)
