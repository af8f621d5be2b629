"""Blocks of rows to batches of facts: Arrow columns with every cell checked as the binder of `rows` does it.

Rows that are not plainly right go to that binder one by one, and come back as facts in their places or as bad rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from ..facts import ID, INTEGER, TIME, Field, Kind, Type
from ..model import Ruleset
from ..reach.files import BadRow, Rows, _reason
from ..reach.formats import Malformed, RawRow
from ..rows import COMMON, BadCell, Binder, Bound
from .blocks import Block
from .cells import Array, Cells, convert, is_text, nothing

SUBJECT, KIND, AT, KNOWN_AT, SEQ = "subject", "kind", "at", "known_at", "seq"
"""The first columns of a batch; the fields follow as `field.NAME`."""


def column_of(name: str) -> str:
    """The column of a batch that holds a field."""
    return f"field.{name}"


@dataclass(frozen=True, slots=True)
class Batch:
    """The facts of a block, in its order, and its bad rows.

    Attributes
    ----------
    facts : pyarrow.RecordBatch
        Of the schema of `Batcher`.
    bad : tuple
        Number, reason and row of each row that cannot be used.
    """

    facts: Any
    bad: tuple[tuple[int, str, object], ...] = ()

    def bad_rows(self, rows: Rows, file: int) -> list[BadRow]:
        """The bad rows with their places."""
        return [BadRow(rows.place(file, number), reason, row) for number, reason, row in self.bad]


@dataclass(frozen=True, slots=True)
class _Column:
    """A field's column: which kinds have it and need it, and what fills it where it is missing, by the kind's index."""

    name: str
    type: Type
    has: Array
    needs: Array
    defaults: tuple[tuple[int, int | str], ...]


@dataclass(frozen=True, slots=True)
class Batcher:
    """Makes batches of facts of a ruleset's kinds; any thread may use it.

    In a batch texts are strings, the empty one where they are missing; an enum's members are their places and booleans
    0 and 1; times, durations and integers are 64 bits; what is missing is null, after defaults have been filled in.

    Parameters
    ----------
    ruleset : Ruleset
        Whose kinds the rows are facts of.
    ignored : collection of str
        Columns that are passed over.
    """

    ruleset: Ruleset
    ignored: frozenset[str] = frozenset()
    columns: tuple[_Column, ...] = field(init=False, repr=False)
    schema: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = [kind for kind in self.ruleset.kinds if kind.given]
        fields = {f.name: f for kind in given for f in kind.fields}
        columns = tuple(self._column(f, given) for f in fields.values())
        object.__setattr__(self, "columns", columns)
        pairs = [
            (SUBJECT, pyarrow.string()),
            (KIND, pyarrow.int16()),
            (AT, pyarrow.int64()),
            (KNOWN_AT, pyarrow.int64()),
            (SEQ, pyarrow.int64()),
            *((column_of(c.name), arrow_type(c.type)) for c in columns),
        ]
        object.__setattr__(self, "schema", pyarrow.schema(pairs))

    def _column(self, declared: Field, given: Sequence[Kind]) -> _Column:
        has = numpy.zeros(len(self.ruleset.kinds), bool)
        needs = has.copy()
        defaults = []
        for kind in given:
            found = kind.field(declared.name)
            if found is not None:
                has[kind.index] = True
                needs[kind.index] = found.required
                if found.default is not None:
                    defaults.append((kind.index, coded(found.type, found.default)))
        return _Column(declared.name, declared.type, has, needs, tuple(defaults))

    def types(self) -> dict[str, Type]:
        """The type of every column that a file may have."""
        fields = {f.name: f.type for kind in self.ruleset.kinds for f in kind.fields}
        return {KIND: ID, AT: TIME, KNOWN_AT: TIME, SEQ: INTEGER, self.ruleset.subject: ID, **fields}

    def coded(self) -> list[str]:
        """The columns of texts that recur."""
        return [KIND, *(column.name for column in self.columns if column.type.members)]

    def batch(self, block: Block) -> Batch:
        """The facts of a block."""
        if block.columns is None:
            bound, bad = self._bind(block.raw(range(block.rows)))
            return Batch(self.of_bound([b for _, b in bound]), tuple(bad))
        columns, odd = self._columns(block)
        if not odd.any():
            return Batch(pyarrow.record_batch(self._arrays(columns), schema=self.schema))
        places = numpy.flatnonzero(odd)
        bound, bad = self._bind(block.raw(places.tolist()))
        kept = numpy.flatnonzero(~odd)
        plain = pyarrow.record_batch(self._arrays(columns), schema=self.schema).take(pyarrow.array(kept))
        if not bound:
            return Batch(plain, tuple(bad))
        more = self.of_bound([b for _, b in bound])
        order = numpy.argsort(numpy.concatenate((kept, places[[place for place, _ in bound]])), kind="stable")
        whole = pyarrow.Table.from_batches([plain, more]).take(pyarrow.array(order)).combine_chunks()
        return Batch(whole.to_batches()[0], tuple(bad))

    def _columns(self, block: Block) -> tuple[list[Array], Array]:
        """The columns in the order of the schema, and which rows are not plainly right."""
        zone, rows = self.ruleset.zone, block.rows
        given = block.columns or {}

        def cells(name: str, type_: Type) -> Cells:
            return convert(given[name], type_, zone) if name in given else nothing(rows, is_text(type_))

        kinds, odd = self._kinds(given.get(KIND), rows)
        subject, at = cells(self.ruleset.subject, ID), cells(AT, TIME)
        known_at, seq = cells(KNOWN_AT, TIME), cells(SEQ, INTEGER)
        odd |= ~subject.filled | ~at.filled
        found: list[Array] = [subject, kinds, at, known_at, seq]
        taken = {*COMMON, self.ruleset.subject}
        for column in self.columns:
            cell = cells(column.name, column.type)
            has = column.has[kinds]
            odd |= cell.filled & ~has
            odd |= ~cell.filled & column.needs[kinds]
            for kind, default in column.defaults:
                cell = _filled_in(cell, ~cell.filled & (kinds == kind), default)
            found.append(cell)
            taken.add(column.name)
        # What only derived kinds have must be empty; what was inferred of other columns is ignored.
        for name in given.keys() & (self.types().keys() - taken):
            odd |= cells(name, self.types()[name]).filled
        for cell in found:
            if isinstance(cell, Cells) and cell.odd is not None:
                odd |= cell.odd
        return found, odd

    def _kinds(self, column: Array | None, rows: int) -> tuple[Array, Array]:
        """The kinds by their indices, and where they are none that may be given."""
        given = [kind for kind in self.ruleset.kinds if kind.given]
        if column is None:
            return numpy.zeros(rows, numpy.int16), numpy.ones(rows, bool)
        found = convert(column, Type("kind", tuple(kind.name for kind in given)), self.ruleset.zone)
        indices = numpy.array([kind.index for kind in given] or [0], numpy.int16)[found.values]
        odd = ~found.filled
        return indices, odd if found.odd is None else odd | found.odd

    def _arrays(self, columns: Iterable[Array]) -> list[Any]:
        """Arrow arrays of the types of the schema."""
        found = []
        for column, declared in zip(columns, self.schema, strict=True):
            if not isinstance(column, Cells):
                found.append(pyarrow.array(column, declared.type))
            elif declared.type == pyarrow.string():
                texts = column.values
                found.append(texts.fill_null("") if texts.null_count else texts)
            else:
                mask = None if column.filled.all() else ~column.filled
                numbers = column.values.astype(declared.type.to_pandas_dtype(), copy=False)
                found.append(pyarrow.array(numbers, declared.type, mask=mask))
        return found

    def _bind(self, rows: Sequence[RawRow]) -> tuple[list[tuple[int, Bound]], list[tuple[int, str, object]]]:
        """What rows give, one by one: facts by their places, and bad rows."""
        binder = Binder(self.ruleset, self.ignored)
        bound: list[tuple[int, Bound]] = []
        bad: list[tuple[int, str, object]] = []
        for place, row in enumerate(rows):
            if isinstance(row, Malformed):
                bad.append((row.number, row.reason, row.row))
                continue
            number, names, cells = row
            try:
                bound.append((place, binder.header(names).bind(cells)))
            except BadCell as error:
                named = dict(zip(names, cells, strict=True))
                bad.append((number, _reason(error, named), named))
        return bound, bad

    def of_bound(self, bound: Sequence[Bound]) -> Any:
        """A batch of facts that were bound one by one."""
        columns: list[list[object]] = [
            [who for _, _, who, _, _, _ in bound],
            [kind.index for kind, *_ in bound],
            [at for _, at, *_ in bound],
            [known_at for *_, known_at in bound],
            [seq for *_, seq, _ in bound],
        ]
        for column in self.columns:
            missing = "" if is_text(column.type) else None
            cells: list[object] = []
            for kind, _, _, values, _, _ in bound:
                slot = kind.slots.get(column.name)
                value = None if slot is None else values[slot]
                cells.append(missing if value is None else coded(column.type, value))
            columns.append(cells)
        arrays = [pyarrow.array(cells, f.type) for cells, f in zip(columns, self.schema, strict=True)]
        return pyarrow.record_batch(arrays, schema=self.schema)


def _filled_in(cell: Cells, where: Array, default: int | str) -> Cells:
    """Cells with a default where one is missing."""
    if not where.any():
        return cell
    filled = cell.filled | where
    if isinstance(default, str):
        texts = pyarrow.compute.if_else(pyarrow.array(where), pyarrow.scalar(default), cell.values)
        return Cells(texts, filled, cell.odd)
    return Cells(numpy.where(where, default, cell.values), filled, cell.odd)


def coded(type_: Type, value: str | int | bool) -> int | str:
    """A value as batches hold it: an enum's member as its place, a boolean as 0 or 1.

    >>> coded(Type("level", ("information", "confirmed")), "confirmed")
    1
    """
    if type_.members:
        return type_.members.index(str(value))
    return value if isinstance(value, str) else int(value)


def uncoded(type_: Type, value: int | str) -> str | int | bool:
    """A value of a field, from what a batch holds."""
    if type_.members:
        return type_.members[int(value)]
    return bool(value) if type_.name == "boolean" else value


def arrow_type(type_: Type) -> Any:
    """The Arrow type of a field's column in a batch."""
    if type_.members:
        return pyarrow.int16()
    if is_text(type_):
        return pyarrow.string()
    return pyarrow.int8() if type_.name == "boolean" else pyarrow.int64()
