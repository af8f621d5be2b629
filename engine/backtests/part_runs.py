"""Runs of all subjects of a part at once: what was derived as columns, each subject's status, and the counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy
import pyarrow

from ..bulk.batches import coded
from ..bulk.cells import Array, is_text
from ..bulk.columns import Column, Columns
from ..bulk.kernel_runs import Jitted
from ..facts import BOOLEAN, Type
from ..machine.timeline import Entry, Program, run_subject
from ..model import Ruleset
from ..reach.tables import schema
from ..speech.outcome import GOOD_STANDING, Summary, rule_of, status

REJECTED = -2
GOOD = -1
"""In place of a status' kind: the run was rejected, or nothing is in force."""

ENTRIES_AT_ONCE = 20_000
"""How many conclusions wait until they are made columns."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Derived facts of some subjects in order: by subject, step, and the order of semantics 5.

    Attributes
    ----------
    subject : array of int64
        The number of the subject in the columns that were run.
    kind, at, rule : array of int64
        The indices of the kinds; instants; the numbers of the rules.
    fields : mapping
        A column for each field of derivable kinds.
    texts : mapping
        For each field of ids or texts the texts of its codes.
    """

    subject: Array
    kind: Array
    at: Array
    rule: Array
    fields: Mapping[str, Column]
    texts: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class PartRun:
    """The runs of all subjects of some columns.

    Attributes
    ----------
    derived : Derived
        What was derived.
    status : array of int64
        The index of each subject's status, or `GOOD`, or `REJECTED`.
    summary : Summary
        What became of the facts; `given` and `duplicates` are for others to count.
    """

    derived: Derived
    status: Array
    summary: Summary = field(default_factory=Summary)


def derivable_fields(ruleset: Ruleset) -> dict[str, Type]:
    """The fields of derivable kinds in the order of the contract, with their types."""
    return {f.name: f.type for kind in ruleset.derivable for f in kind.fields}


Parts = Sequence[tuple[Array, Array, Array, Array, Mapping[str, Column]]]
"""Subjects, kinds, instants, rules and fields of derived facts, piece by piece."""


def run_part(
    program: Program | Jitted, columns: Columns, as_of: int, check: Callable[[], None] = lambda: None
) -> PartRun:
    """Run all subjects of some columns as of an instant (semantics 1).

    Parameters
    ----------
    program : Program or Jitted
        The ruleset, made ready by an engine, or as generated code of arrays.
    columns : Columns
        The facts; those later than `as_of` are left out.
    as_of : int
        The instant, in microseconds since 1970 UTC.
    check : callable
        Is called now and then, and may raise what ends the run.
    """
    if not isinstance(program, Jitted):
        return _one_by_one(program, columns, as_of, check)
    found = program.run(columns, as_of, check)
    derived = _joined(program.ruleset, found.parts, found.texts)
    return PartRun(derived, numpy.concatenate(found.status), found.summary)


def _joined(ruleset: Ruleset, parts: Parts, texts: Mapping[str, Any]) -> Derived:
    """Derived facts of which there is at least one piece."""
    subject, kind, at, rule = (numpy.concatenate(own) for own in zip(*(part[:4] for part in parts), strict=True))
    fields: dict[str, Column] = {}
    for name in derivable_fields(ruleset):
        own = [part[4][name] for part in parts]
        present = [numpy.ones(len(c.values), bool) if c.present is None else c.present for c in own]
        values = numpy.concatenate([c.values for c in own])
        fields[name] = Column(values, None if all(c.present is None for c in own) else numpy.concatenate(present))
    return Derived(subject, kind, at, rule, fields, texts)


def jitted(program: Program, version: str) -> Program | Jitted:
    """The generated code of arrays of a ruleset, where numba is installed (the extra `fast`); else the program.

    Parameters
    ----------
    program : Program
        The ruleset, made ready by an engine.
    version : str
        The version of strikeout, which the compiled code is kept under.
    """
    from ..machine.compiled import CompiledProgram

    if find_spec("numba") is None or not isinstance(program, CompiledProgram):
        return program
    return Jitted(program, version)


def _one_by_one(program: Program, columns: Columns, as_of: int, check: Callable[[], None]) -> PartRun:
    """The same by a function that runs one subject."""
    ruleset = program.ruleset
    places = {kind.name: kind.index for kind in ruleset.kinds}
    pieces = _Pieces(ruleset)
    found = numpy.full(len(columns.subjects), GOOD, numpy.int64)
    summary = Summary()
    for number in range(len(columns.subjects)):
        check()
        facts = columns.facts(ruleset, number)
        run = run_subject(program, columns.subjects[number].as_py(), facts, as_of)
        summary.add_run(run, len(facts))
        if run.rejection is not None:
            found[number] = REJECTED
            continue
        pieces.add(number, run.conclusions)
        standing = status(ruleset, run).kind
        found[number] = GOOD if standing == GOOD_STANDING else places[standing]
    return PartRun(pieces.derived(), found, summary)


class _Pieces:
    """Conclusions to columns, some ten thousand at a time; more of them as they are would take too much room."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._rules = {rule.name: number for number, rule in enumerate(ruleset.rules)}
        self._types = derivable_fields(ruleset)
        self._codes: dict[str, dict[str, int]] = {name: {} for name, type_ in self._types.items() if is_text(type_)}
        self._pieces: list[tuple[Array, Array, Array, Array, dict[str, Column]]] = []
        self._entries: list[Entry] = []
        self._numbers: list[int] = []

    def add(self, number: int, entries: Sequence[Entry]) -> None:
        """Add the conclusions on a subject."""
        self._entries += entries
        self._numbers += [number] * len(entries)
        if len(self._entries) >= ENTRIES_AT_ONCE:
            self._finish()

    def derived(self) -> Derived:
        """All of them."""
        self._finish()
        texts = {name: pyarrow.array(list(codes), pyarrow.string()) for name, codes in self._codes.items()}
        return _joined(self._ruleset, self._pieces, texts)

    def _finish(self) -> None:
        entries, numbers = self._entries, self._numbers
        self._entries, self._numbers = [], []
        self._pieces.append(
            (
                numpy.array(numbers, numpy.int64),
                numpy.array([entry.fact.kind.index for entry in entries], numpy.int64),
                numpy.array([entry.fact.at for entry in entries], numpy.int64),
                numpy.array([self._rules[rule_of(entry)] for entry in entries], numpy.int64),
                {name: self._column(name, type_, entries) for name, type_ in self._types.items()},
            )
        )

    def _column(self, name: str, type_: Type, entries: Sequence[Entry]) -> Column:
        values = [entry.fact.get(name) for entry in entries]
        present = numpy.array([value is not None for value in values], bool)
        codes = self._codes.get(name)
        if codes is None:
            numbers = [0 if value is None else coded(type_, value) for value in values]
        else:
            numbers = [0 if value is None else codes.setdefault(str(value), len(codes)) for value in values]
        return Column(numpy.array(numbers, numpy.int64), None if present.all() else present)


def conclusions(ruleset: Ruleset, columns: Columns, derived: Derived) -> Any:
    """Derived facts as a pyarrow table, with the columns of the contract; those of texts are dictionaries.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    columns : Columns
        The columns that were run.
    derived : Derived
        What was derived.
    """
    arrow_schema = schema(ruleset)
    kinds = pyarrow.array([kind.name for kind in ruleset.kinds], pyarrow.string())
    rules = pyarrow.array([rule.name for rule in ruleset.rules], pyarrow.string())
    arrays = [_coded(derived.subject, columns.subjects), _coded(derived.kind, kinds)]
    arrays.append(pyarrow.array(derived.at, pyarrow.int64()))
    for name, type_ in derivable_fields(ruleset).items():
        column = derived.fields[name]
        missing = None if column.present is None else ~column.present
        if is_text(type_) or type_.members:
            texts = derived.texts.get(name, ()) if is_text(type_) else type_.members
            arrays.append(_coded(column.values, pyarrow.array(texts, pyarrow.string()), missing))
        elif type_ == BOOLEAN:
            arrays.append(pyarrow.array(column.values != 0, pyarrow.bool_(), mask=missing))
        else:
            arrays.append(pyarrow.array(column.values, pyarrow.int64(), mask=missing))
    arrays.append(_coded(derived.rule, rules))
    cast = [
        array if pyarrow.types.is_dictionary(array.type) else array.cast(f.type)
        for array, f in zip(arrays, arrow_schema, strict=True)
    ]
    return pyarrow.Table.from_arrays(cast, names=arrow_schema.names)


def _coded(codes: Array, texts: Any, missing: Array | None = None) -> Any:
    """Texts by their codes."""
    indices = pyarrow.array(codes.astype(numpy.int32), mask=missing)
    return pyarrow.DictionaryArray.from_arrays(indices, texts, safe=False)
