"""Tables of a backtest: those of its parts, and what they are put together to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet

from ..model import Ruleset
from ..reach.tables import ROWS_AT_ONCE
from ..reach.writing import refusals
from .tally import SIDES, Difference


def differences_schema(rulesets: Sequence[Ruleset]) -> Any:
    """The columns of the table of differences."""
    at = pyarrow.timestamp("us", tz=rulesets[0].zone.name)
    text = pyarrow.string()
    pairs = [(rulesets[0].subject, text), ("status_against", text), ("status", text), ("at", at)]
    return pyarrow.schema([*pairs, ("only", text), ("rule", text)])


def differences_table(rulesets: Sequence[Ruleset], found: Sequence[Difference]) -> Any:
    """The differences as a table; `only` says which of the runs has the conclusion that parted them."""
    columns = [
        [one.subject for one in found],
        [one.statuses[0] for one in found],
        [one.statuses[1] for one in found],
        [one.at for one in found],
        [None if one.side is None else SIDES[one.side] for one in found],
        [one.rule or None for one in found],
    ]
    arrow_schema = differences_schema(rulesets)
    arrays = [pyarrow.array(column, f.type) for column, f in zip(columns, arrow_schema, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=arrow_schema)


def differences_writer(file: BinaryIO, rulesets: Sequence[Ruleset]) -> Any:
    """A writer of the table of differences."""
    return pyarrow.parquet.ParquetWriter(file, differences_schema(rulesets))


def write_table(path: Path, table: Any) -> None:
    """Write a table of a part."""
    with refusals(f"`{path}`"):
        made = path.with_name(f"{path.name}.tmp")
        options = pyarrow.ipc.IpcWriteOptions(compression="lz4")
        with pyarrow.OSFile(str(made), "wb") as file, pyarrow.ipc.new_file(file, table.schema, options=options) as out:
            out.write_table(table, max_chunksize=ROWS_AT_ONCE)
        made.replace(path)


class Whole:
    """The table of all parts as Parquet, in groups of whole subjects, as `tables.Parquet` makes them.

    A group has `ROWS_AT_ONCE` rows, and as many more as the last subject has.

    Parameters
    ----------
    path : Path
        The file.
    arrow_schema : pyarrow.Schema
        The columns of the tables of parts.
    writer : callable
        Makes the writer of the file.
    """

    def __init__(self, path: Path, arrow_schema: Any, writer: Callable[[BinaryIO], Any]) -> None:
        self._path = path
        self._waiting = pyarrow.table([[]] * len(arrow_schema), schema=arrow_schema)
        with refusals(f"`{path}`"):
            self._file = open(path, "wb")  # noqa: SIM115
            self._writer = writer(self._file)

    def __enter__(self) -> Whole:
        return self

    def __exit__(self, *error: object) -> None:
        with refusals(f"`{self._path}`"), self._file:
            try:
                if error[0] is None:
                    if self._waiting.num_rows:
                        self._writer.write_table(self._waiting.combine_chunks())
                    self._writer.close()
            finally:
                # What is given up is not written to once more when the writer goes.
                self._writer.is_open = False

    def add(self, path: Path) -> None:
        """Add the table of a part from its file; of one without facts there is none."""
        if not path.exists():
            return
        with refusals(f"`{self._path}`"), pyarrow.memory_map(str(path)) as file:
            reader = pyarrow.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                self._add(pyarrow.Table.from_batches([reader.get_batch(number)]))

    def add_table(self, table: Any) -> None:
        """Add the table of a part."""
        with refusals(f"`{self._path}`"):
            for start in range(0, table.num_rows, ROWS_AT_ONCE):
                self._add(table.slice(start, ROWS_AT_ONCE))

    def _add(self, table: Any) -> None:
        table = table.cast(self._waiting.schema)
        waiting = pyarrow.concat_tables([self._waiting, table])
        while (end := _end_of_group(waiting.column(0))) is not None:
            self._writer.write_table(waiting.slice(0, end).combine_chunks())
            waiting = waiting.slice(end)
        self._waiting = waiting


def _end_of_group(subjects: Any) -> int | None:
    """Where the first subject ends with which a group is full; None where that has not come yet."""
    if len(subjects) <= ROWS_AT_ONCE:
        return None
    last = subjects[ROWS_AT_ONCE - 1]
    rest = subjects.slice(ROWS_AT_ONCE)
    found = pyarrow.compute.index(pyarrow.compute.equal(rest, last), False).as_py()
    return None if found < 0 else ROWS_AT_ONCE + int(found)
