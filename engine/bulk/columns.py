"""Facts as columns: of many subjects, each one's facts together and in the order of semantics 2, without duplicates.

Nothing is sorted by many keys. Subjects are numbered by their ids, one sort of whole numbers brings each one's facts
together, in the order of time in which they mostly come already, and only facts of one subject and instant are compared
further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from ..facts import Fact, Type, Value
from ..model import (
    Aggregate,
    Expression,
    JoinedField,
    LetValue,
    Literal,
    Operation,
    OwnField,
    Ruleset,
    SubjectName,
    TriggerField,
    rule_expressions,
    selections,
    walk,
)
from .batches import AT, KIND, KNOWN_AT, SEQ, SUBJECT, column_of, uncoded
from .cells import Array, is_text


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a field, one for each fact.

    Attributes
    ----------
    values : array of int64
        Integers, times, durations; an enum's members as their places, booleans as 0 and 1, texts as codes: their places
        in `Columns.texts`. 0 where there is none.
    present : array of bool, or None
        Where there is a value; None where there is always one.
    """

    values: Array
    present: Array | None

    def at(self, place: int) -> int | None:
        """The value at a place, None where there is none."""
        return None if self.present is not None and not self.present[place] else int(self.values[place])


@dataclass(frozen=True, slots=True)
class Columns:
    """Facts of some subjects. All of a subject are here, or none.

    Attributes
    ----------
    subjects : pyarrow.Array
        The ids of the subjects, by code point.
    starts : array of int64
        Where the facts of each subject begin, and at last how many facts there are.
    kind : array of int64
        The indices of the kinds.
    at, known_at : array of int64
        Instants. `known_at` is None where every fact was known when it happened.
    fields : mapping
        A column for each field of given kinds that is read.
    texts : mapping
        For each field of ids or texts the texts of its codes, as an Arrow array. Codes of two fields can be compared
        where the array is the same object.
    duplicates : int
        How many facts were left out because they are the same as others.
    shared : bool
        Whether the codes of all fields are of one dictionary.
    """

    subjects: Any
    starts: Array
    kind: Array
    at: Array
    known_at: Array | None
    fields: Mapping[str, Column]
    texts: Mapping[str, Any]
    duplicates: int = 0
    shared: bool = False

    def __len__(self) -> int:
        return len(self.at)

    def facts(self, ruleset: Ruleset, subject: int) -> list[Fact]:
        """The facts of a subject, by its number; fields that no rule reads are missing."""
        begin, end = int(self.starts[subject]), int(self.starts[subject + 1])
        name = self.subjects[subject].as_py()
        found = []
        for place in range(begin, end):
            kind = ruleset.kinds[int(self.kind[place])]
            at = int(self.at[place])
            known_at = at if self.known_at is None else int(self.known_at[place])
            values = tuple(self._value(f.name, f.type, place) for f in kind.fields)
            found.append(Fact(kind, at, name, values, 0, known_at))
        return found

    def _value(self, name: str, type_: Type, place: int) -> Value:
        column = self.fields.get(name)
        code = None if column is None else column.at(place)
        if code is None:
            return None
        text: str | int = self.texts[name][code].as_py() if is_text(type_) else code
        return uncoded(type_, text)

    def latest(self) -> int:
        """The latest instant at which a fact happened or became known (semantics 3)."""
        return int(max(self.at.max(), self.at.max() if self.known_at is None else self.known_at.max()))

    def of(self, first: int, last: int) -> Columns:
        """The facts of the subjects from one number up to another, as views."""
        begin, end = int(self.starts[first]), int(self.starts[last])
        fields = {
            name: Column(c.values[begin:end], None if c.present is None else c.present[begin:end])
            for name, c in self.fields.items()
        }
        known_at = None if self.known_at is None else self.known_at[begin:end]
        starts = self.starts[first : last + 1] - begin
        subjects = self.subjects.slice(first, last - first)
        kind, at = self.kind[begin:end], self.at[begin:end]
        return Columns(subjects, starts, kind, at, known_at, fields, self.texts, 0, self.shared)


def in_order(table: Any, ruleset: Ruleset, read: Mapping[str, str]) -> Columns:
    """The facts of a table as columns in order (semantics 2).

    Parameters
    ----------
    table : pyarrow.Table
        Of the schema of `Batcher`; not empty.
    ruleset : Ruleset
        Whose kinds the facts are of.
    read : mapping
        The fields to keep; of those of ids or texts the name of the dictionary, which some may share.
    """
    codes, subjects = _numbered(table.column(SUBJECT))
    at = table.column(AT).to_numpy()
    order = _by_subject_and_time(codes, at)
    codes = codes[order]
    order, kept = _settled(table, ruleset, order, codes, at)
    duplicates = 0
    if kept is not None:
        duplicates = len(order) - int(kept.sum())
        order, codes = order[kept], codes[kept]
    counts = numpy.bincount(codes, minlength=len(subjects))
    starts = numpy.concatenate(([0], numpy.cumsum(counts)))
    at = at[order]
    fields, texts = _fields(table, ruleset, read, order)
    kind = table.column(KIND).to_numpy()[order].astype(numpy.int64)
    shared = "" in read.values()
    return Columns(subjects, starts, kind, at, _known_at(table, order, at), fields, texts, duplicates, shared)


def _known_at(table: Any, order: Array, at: Array) -> Array | None:
    column = table.column(KNOWN_AT)
    if column.null_count == len(column):
        return None
    known = pyarrow.compute.coalesce(column, table.column(AT)).to_numpy()[order]
    return None if (known == at).all() else known


def _encoded(column: Any) -> tuple[Array, Any]:
    """The codes of a chunked column of texts, and the texts by their codes."""
    encoded = column.dictionary_encode()
    if encoded.num_chunks == 0:
        return numpy.zeros(0, numpy.int32), pyarrow.array([], pyarrow.string())
    codes = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return numpy.concatenate(codes), encoded.chunk(0).dictionary


def _numbered(column: Any) -> tuple[Array, Any]:
    """The number of each subject, by the order of their ids, and the ids."""
    codes, texts = _encoded(column)
    order = pyarrow.compute.sort_indices(texts).to_numpy()
    rank = numpy.empty(len(order), numpy.int32)
    rank[order] = numpy.arange(len(order), dtype=numpy.int32)
    return rank[codes], texts.take(pyarrow.array(order))


def _by_subject_and_time(codes: Array, at: Array) -> Array:
    """The order by subject, then time: one sort of whole numbers, two where the facts do not come by time."""
    width = numpy.uint64(len(codes).bit_length())
    mask = (numpy.uint64(1) << width) - numpy.uint64(1)
    places = numpy.arange(len(codes), dtype=numpy.uint64)
    if (at[1:] >= at[:-1]).all():
        keys = (codes.astype(numpy.uint64) << width) | places
        keys.sort()
        return (keys & mask).astype(numpy.int64)
    by_time = _by_time(at)
    keys = (codes[by_time].astype(numpy.uint64) << width) | places
    keys.sort()
    return by_time[(keys & mask).astype(numpy.int64)]


def _by_time(at: Array) -> Array:
    """The order by time."""
    width = len(at).bit_length()
    first, last = int(at.min()), int(at.max())
    # Mostly time is counted in seconds, or days, so that it and the place fit into one number.
    for unit in (86_400_000_000, 1_000_000, 1_000, 1):
        if (last - first) // unit < 1 << (64 - width) and not ((at - first) % unit).any():
            keys = (((at - first) // unit).astype(numpy.uint64) << numpy.uint64(width)) | numpy.arange(
                len(at), dtype=numpy.uint64
            )
            keys.sort()
            return (keys & numpy.uint64((1 << width) - 1)).astype(numpy.int64)
    return numpy.argsort(at, kind="stable")


def _settled(table: Any, ruleset: Ruleset, order: Array, codes: Array, at: Array) -> tuple[Array, Array | None]:
    """The order in which facts of one subject and instant stand, and which facts are kept, where some are the same."""
    moments = at[order]
    tied = (codes[1:] == codes[:-1]) & (moments[1:] == moments[:-1])
    if not tied.any():
        return order, None
    # Facts that are still tied: their places in the order, and the number of the group of each.
    new = numpy.concatenate(([True], ~tied))
    places, groups = _tied(numpy.arange(len(order)), numpy.cumsum(new))
    order = order.copy()
    for key in _keys(table, ruleset):
        if not len(places):
            return order, None
        rows = order[places]
        values = key(rows)
        by = numpy.lexsort((values, groups))
        order[places], values = rows[by], values[by]
        new = numpy.concatenate(([True], (groups[1:] != groups[:-1]) | (values[1:] != values[:-1])))
        places, groups = _tied(places, numpy.cumsum(new))
    if not len(places):
        return order, None
    rows = order[places]
    known = pyarrow.compute.coalesce(table.column(KNOWN_AT), table.column(AT)).to_numpy()[rows]
    by = numpy.lexsort((known, groups))
    order[places] = rows[by]
    kept = numpy.ones(len(order), bool)
    kept[places[1:][groups[1:] == groups[:-1]]] = False
    return order, kept


def _tied(places: Array, groups: Array) -> tuple[Array, Array]:
    """Those whose group has more than one member."""
    same = groups[1:] == groups[:-1]
    member = numpy.concatenate((same, [False])) | numpy.concatenate(([False], same))
    return places[member], groups[member]


def _keys(table: Any, ruleset: Ruleset) -> Iterator[Callable[[Array], Array]]:
    """What facts of one subject and instant are ordered by, the first key first; each gives whole numbers for rows."""
    seq = table.column(SEQ)
    if seq.null_count < len(seq):
        numbers = seq.fill_null(0).to_numpy()
        yield lambda rows: numbers[rows]
    kinds = table.column(KIND).to_numpy()
    yield lambda rows: kinds[rows]
    for slot in range(max(len(kind.fields) for kind in ruleset.kinds)):

        def key(rows: Array, slot: int = slot) -> Array:
            found = numpy.zeros(len(rows), numpy.int64)
            kinds_of_rows = kinds[rows]
            for kind in ruleset.kinds:
                if kind.given and slot < len(kind.fields):
                    some = numpy.flatnonzero(kinds_of_rows == kind.index)
                    if len(some):
                        found[some] = _ranks(table.column(column_of(kind.fields[slot].name)), rows[some])
            return found

        yield key


def _ranks(column: Any, rows: Array) -> Array:
    """Whole numbers that are ordered as the values of some rows are: missing last, texts by code point."""
    some = column.take(pyarrow.array(rows)).combine_chunks()
    if pyarrow.types.is_string(some.type):
        encoded = some.dictionary_encode()
        texts = encoded.dictionary
        order = pyarrow.compute.sort_indices(texts).to_numpy()
        rank = numpy.empty(len(order), numpy.int64)
        rank[order] = numpy.arange(len(order))
        missing = pyarrow.compute.equal(texts, "").to_numpy(zero_copy_only=False)
        rank[missing] = len(order)
        return rank[encoded.indices.to_numpy()]
    known, rank = numpy.unique(some.fill_null(0).to_numpy(), return_inverse=True)
    rank = rank.astype(numpy.int64)
    rank[~some.is_valid().to_numpy(zero_copy_only=False)] = len(known)
    return rank


def _fields(
    table: Any, ruleset: Ruleset, read: Mapping[str, str], order: Array
) -> tuple[dict[str, Column], dict[str, Any]]:
    """The columns of the fields that are read, in order, and the texts of their codes."""
    types = {f.name: f.type for kind in ruleset.kinds if kind.given for f in kind.fields}
    fields: dict[str, Column] = {}
    texts: dict[str, Any] = {}
    dictionaries: dict[str, list[str]] = {}
    for name, type_ in types.items():
        if name not in read:
            continue
        column = table.column(column_of(name))
        if is_text(type_):
            dictionaries.setdefault(read[name], []).append(name)
        elif column.null_count == len(column):
            fields[name] = Column(numpy.zeros(len(order), numpy.int64), numpy.zeros(len(order), bool))
        else:
            present = column.is_valid().to_numpy()[order] if column.null_count else None
            fields[name] = Column(column.fill_null(0).to_numpy().astype(numpy.int64)[order], present)
    for names in dictionaries.values():
        columns = [table.column(column_of(name)) for name in names]
        whole = pyarrow.chunked_array([chunk for column in columns for chunk in column.chunks], pyarrow.string())
        codes, found = _encoded(whole)
        empty = pyarrow.compute.index(found, "").as_py()
        for number, name in enumerate(names):
            own = codes[number * table.num_rows : (number + 1) * table.num_rows][order].astype(numpy.int64)
            present = None if empty < 0 else own != empty
            fields[name] = Column(own if present is None else numpy.where(present, own, 0), present)
            texts[name] = found
    return {name: fields[name] for name in types if name in fields}, texts


def fields_read(rulesets: Sequence[Ruleset]) -> dict[str, str]:
    """The fields that rules read, or carry over to what they derive; for each the name of a dictionary of texts.

    Where a rule compares, copies or writes texts across fields, all fields of texts share one dictionary, else each has
    its own, under its name.

    Examples
    --------
    >>> import strikeout
    >>> found = fields_read([strikeout.load("taobao-counterfeit").model])
    >>> found["complaint"], "listing" in found
    ('complaint', False)
    """
    found: set[str] = set()
    shared = False
    for ruleset in rulesets:
        for kind in ruleset.kinds:
            # What the status needs of given facts; and the texts that derived ones have by default.
            found.update(kind.fields[slot].name for pair in (kind.ends.slots if kind.ends else ()) for slot in pair[1:])
            if kind.ends is not None:
                ended = ruleset.kinds[kind.ends.kind]
                found.update(ended.fields[slot].name for slot, _ in kind.ends.slots)
            if kind.effect == "interval":
                found.add("until")
            shared = shared or any(is_text(f.type) and f.default is not None for f in kind.fields if not kind.given)
        for rule in (*ruleset.rules, *ruleset.void_rules):
            for join in rule.joins:
                found.update(join.selection.kind.fields[slot].name for slot, _ in join.selection.by)
            for target in rule.voids:
                for slot, key in target.by:
                    found.add(target.kind.fields[slot].name)
                    found.update(_names(key))
            for expression in rule_expressions(rule):
                found.update(_names(expression))
                shared = shared or _mixes(expression)
            for _, _, derivation in rule.derivations():
                for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
                    if value is not None and is_text(field.type):
                        shared = shared or not (
                            isinstance(value, TriggerField | JoinedField) and value.name == field.name
                        )
    return {name: "" if shared else name for name in sorted(found)}


def _names(expression: Expression) -> Iterator[str]:
    """The fields that an expression reads."""
    for node in walk(expression):
        if isinstance(node, TriggerField | JoinedField | OwnField):
            yield node.name
        elif isinstance(node, Aggregate):
            for selection in selections(node):
                yield from (selection.kind.fields[slot].name for slot, _ in selection.by)
            if node.slot is not None and node.slot >= 0:
                yield node.selection.kind.fields[node.slot].name


def _mixes(expression: Expression) -> bool:
    """Whether texts of different fields may meet, or a text that the ruleset writes."""
    for node in walk(expression):
        if isinstance(node, SubjectName):
            return True
        if isinstance(node, Literal | LetValue) and is_text(node.type):
            return True
        if (
            isinstance(node, Operation)
            and node.operator != "known"
            and any(is_text(operand.type) for operand in node.operands)
        ):
            return True
    return False
