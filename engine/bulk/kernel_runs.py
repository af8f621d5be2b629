"""Runs of all subjects of some columns by the generated code of arrays, which numba compiles (the extra `fast`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from ..facts import TIME, Kind
from ..machine.compiled import CompiledProgram
from ..machine.compiled.arrays_layout import (
    AT,
    FIELDS,
    HALF,
    KIND,
    NUMBER,
    PLACES,
    REASON,
    REJECTED,
    ROWS,
    SUBJECT,
    WHAT,
)
from ..machine.compiled.bridge import NUMBERS, Workspace, zone_arrays
from ..machine.compiled.kernel import Kernel
from ..machine.compiled.runtime import NEVER
from ..model import Ruleset
from ..reach.jitted import load_kernel
from ..speech.outcome import Summary
from .cells import Array, is_text
from .columns import Column, Columns

SLICE = 30_000
"""How many facts are laid out at a time, about; what the generated code reads and writes stays close at hand."""

LATER, VOIDED, REFUSED = 1, 2, 3
"""What became of a fact that was not used."""


@dataclass(frozen=True, slots=True)
class Jitted:
    """A ruleset's generated code of arrays, compiled by numba; any thread may run it.

    Parameters
    ----------
    program : CompiledProgram
        The compiled ruleset.
    version : str
        The version of strikeout, which the compiled code is kept under.
    """

    program: CompiledProgram
    version: str
    kernel: Kernel = field(init=False, repr=False)
    rules: Array = field(init=False, repr=False)
    module: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        kernel, plan, _ = self.program.kernel()
        object.__setattr__(self, "kernel", kernel)
        object.__setattr__(self, "rules", numpy.array([d.number for d in plan.derivations], numpy.int64))
        object.__setattr__(self, "module", load_kernel(kernel.source, self.version))

    @property
    def ruleset(self) -> Ruleset:
        """The ruleset."""
        return self.program.ruleset

    def run(self, columns: Columns, as_of: int, check: Callable[[], None] = lambda: None) -> Found:
        """Run all subjects as of an instant; `check` is called now and then, and may raise."""
        texts, literals, names = self._texts(columns)
        found = Found(self.ruleset, self.kernel, self.rules, texts, as_of)
        desk = Desk(self.kernel, (literals, *zone_arrays(self.ruleset)))
        for first, last in _slices(columns.starts):
            check()
            own = columns.of(first, last)
            found.add(first, *self._run(own, as_of, desk, names[first:last]), own)
        return found

    def warm(self) -> None:
        """Have the code compiled, or loaded as compiled before."""
        none = numpy.zeros(0, numpy.int64)
        nothing = Columns(pyarrow.array([], pyarrow.string()), numpy.zeros(1, numpy.int64), none, none, None, {}, {})
        literals = numpy.zeros(len(self.kernel.texts), numpy.int64)
        self._run(nothing, 0, Desk(self.kernel, (literals, *zone_arrays(self.ruleset))), none)

    def _texts(self, columns: Columns) -> tuple[Mapping[str, Any], Array, Array]:
        """The texts of codes, of the texts that the ruleset writes too; the codes of those, and of the subjects."""
        texts = dict(columns.texts)
        needed = pyarrow.array(self.kernel.texts, pyarrow.string())
        literals, names = numpy.zeros(len(needed), numpy.int64), numpy.zeros(len(columns.subjects), numpy.int64)
        if not columns.shared:
            return texts, literals, names
        whole = next(iter(texts.values()), pyarrow.array([], pyarrow.string()))
        codes = []
        for more in (needed, columns.subjects):
            places = pyarrow.compute.index_in(more, value_set=whole)
            missing = places.is_null()
            new = numpy.cumsum(missing.to_numpy(zero_copy_only=False)) - 1 + len(whole)
            codes.append(pyarrow.compute.coalesce(places.cast(pyarrow.int64()), pyarrow.array(new)).to_numpy())
            whole = pyarrow.concat_arrays([whole, more.filter(missing)])
        fields = {f.name for kind in self.ruleset.kinds for f in kind.fields if is_text(f.type)}
        return dict.fromkeys(fields, whole), codes[0], codes[1]

    def _run(self, columns: Columns, as_of: int, desk: Desk, names: Array) -> tuple[Array, Array, Array, Array]:
        """What was derived, how much for each subject, which subjects were rejected, and what became of each fact."""
        rows, subjects = len(columns), len(columns.subjects)
        laid_out = self._laid_out(columns)
        flags = numpy.zeros(rows, numpy.int64)
        flags[columns.at > as_of] = LATER
        if columns.known_at is not None:
            flags[columns.known_at > as_of] = LATER
        voids = numpy.zeros((rows, 2), numpy.int64)
        counts = numpy.zeros(subjects, numpy.int64)
        derived: list[Array] = []
        rejected: list[Array] = []
        begin, more = 0, True
        while more:
            why = self.module.drive(
                laid_out,
                flags,
                voids,
                *desk.constants,
                *desk.work.arrays.values(),
                desk.room,
                desk.rejections,
                columns.starts,
                names,
                counts,
                as_of,
                begin,
                subjects,
            )
            state = desk.work.arrays["S"]
            reached, filled, wrong = int(state[NUMBER]), int(state[ROWS]), int(state[REJECTED])
            more = reached < subjects
            derived.append(desk.room[:, :filled].copy() if more else desk.room[:, :filled])
            rejected.append(desk.rejections[:wrong, SUBJECT].copy())
            if why == 1:
                desk.work.grow()
            elif why and reached == begin:
                desk.enlarge()
            begin = reached
        whole = derived[0] if len(derived) == 1 else numpy.concatenate(derived, axis=1)
        return whole, counts, numpy.concatenate(rejected), flags

    def _laid_out(self, columns: Columns) -> Array:
        """The facts as the generated code reads them: kind, instant, then the cells of the layout."""
        layout = self.kernel.layout
        found = numpy.empty((2 + len(layout.given), len(columns)), numpy.int64)
        found[0], found[1] = columns.kind, columns.at
        for read, cell in layout.given.items():
            name, _, known = read.partition(" ")
            column, type_ = columns.fields.get(name), layout.types[name]
            missing = NEVER if type_ == TIME else 0 if type_.name in NUMBERS else -1
            if known:
                found[2 + cell] = False if column is None else True if column.present is None else column.present
            elif column is None:
                found[2 + cell] = missing
            elif column.present is None:
                found[2 + cell] = column.values
            else:
                found[2 + cell] = numpy.where(column.present, column.values, missing)
        return found


class Desk:
    """What one thread works with: the arrays of the generated code, and room for what it gives."""

    def __init__(self, kernel: Kernel, constants: tuple[Array, ...]) -> None:
        self.constants = constants
        self.work = Workspace.of(kernel, 1_024)
        self.room = numpy.empty((kernel.row_width, 4 * SLICE), numpy.int64)
        self.rejections = numpy.empty((1_000, 5), numpy.int64)

    def enlarge(self) -> None:
        """Make more room."""
        self.room = numpy.empty((len(self.room), 2 * self.room.shape[1]), numpy.int64)


def _slices(starts: Array) -> list[tuple[int, int]]:
    """Subjects in ranges that have about `SLICE` facts each."""
    subjects = len(starts) - 1
    edges = numpy.searchsorted(starts, numpy.arange(0, int(starts[-1]), SLICE))
    edges = numpy.unique(numpy.append(edges, (0, subjects)))
    edges = edges[edges <= subjects]
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


class Found:
    """What the runs of all subjects gave, slice by slice.

    Attributes
    ----------
    status : list of array
        The index of each subject's status; -1 where nothing is in force, -2 where the run was rejected.
    summary : Summary
        What became of the facts.
    """

    def __init__(self, ruleset: Ruleset, kernel: Kernel, rules: Array, texts: Mapping[str, Any], as_of: int) -> None:
        self._ruleset = ruleset
        self._as_of = as_of
        self._layout = kernel.layout
        self._rules = rules
        self.texts = texts
        self.parts: list[tuple[Array, Array, Array, Array, dict[str, Column]]] = []
        self.status: list[Array] = []
        self.summary = Summary()

    def add(self, first: int, derived: Array, counts: Array, rejected: Array, flags: Array, columns: Columns) -> None:
        """Add a slice that begins with a subject; what was derived lies subject after subject."""
        number = numpy.repeat(numpy.arange(len(counts)), counts)
        self.status.append(self._counted(number, derived, rejected, flags, columns))
        kind = derived[WHAT] & KIND
        fields = {}
        for declared in dict.fromkeys(f.name for k in self._ruleset.derivable for f in k.fields):
            values, present = self._values(derived, kind, declared)
            fields[declared] = Column(values, None if present.all() else present)
        self.parts.append(
            (
                number + first,
                kind,
                derived[AT].copy(),
                self._rules[derived[WHAT] >> REASON],
                fields,
            )
        )

    def _counted(self, number: Array, derived: Array, rejected: Array, flags: Array, columns: Columns) -> Array:
        """Count what became of the facts of a slice; the status of each subject."""
        summary, subjects = self.summary, len(columns.subjects)
        fate = flags
        if len(rejected):
            gone = numpy.zeros(subjects, bool)
            gone[rejected] = True
            fate = numpy.where(numpy.repeat(gone, numpy.diff(columns.starts)), REFUSED, flags)
        counts = numpy.bincount(fate, minlength=REFUSED + 1).tolist()
        summary.subjects += subjects
        summary.used += counts[0]
        summary.later += counts[LATER]
        summary.voided += counts[VOIDED]
        summary.rejected += counts[REFUSED]
        summary.derived += len(number)
        status = status_of(self._ruleset, subjects, self._spans(derived, number, columns, fate), self._as_of)
        status[rejected] = -2
        return status

    def _values(self, derived: Array, kind: Array, name: str) -> tuple[Array, Array]:
        """A field's values in what was derived, and where it has one."""
        type_ = self._layout.types[name]
        cell = self._layout.made.get(name)
        if cell is None:  # no rule derives a kind that has it
            return numpy.zeros(len(kind), numpy.int64), numpy.zeros(len(kind), bool)
        values = derived[FIELDS + cell]
        has = numpy.array([name in k.slots for k in self._ruleset.kinds], bool)[kind]
        if type_.name in NUMBERS:
            known = self._layout.made.get(f"{name} known")
            if known is not None:
                has &= derived[FIELDS + known] != 0
        elif type_ == TIME:
            has &= values != NEVER
        else:
            has &= values >= 0
        return numpy.where(has, values, 0), has

    def _spans(self, derived: Array, number: Array, columns: Columns, fate: Array) -> list[Spans]:
        """The facts that may count for the status, kind by kind: where they stand, from when, and their keys."""
        found: list[Spans] = []
        place, kind = derived[PLACES] >> HALF, derived[WHAT] & KIND
        needed = [k for k in self._ruleset.kinds if k.effect or k.ends is not None]
        given = subject_of = places = numpy.zeros(0, numpy.int64)
        if any(k.given for k in needed):
            given = numpy.flatnonzero(fate == 0)
            subject_of = numpy.repeat(numpy.arange(len(columns.subjects)), numpy.diff(columns.starts))[given]
            places = _places_of_given(subject_of, number, place)
        for k in needed:
            rows = numpy.flatnonzero(kind == k.index)
            if len(rows):
                these = derived[:, rows]
                at = these[AT]
                fields = {f.name: self._values(these, kind[rows], f.name) for f in k.fields}
                found.append(Spans(k, number[rows], place[rows], at, fields))
            if not k.given:
                continue
            own = numpy.flatnonzero(columns.kind[given] == k.index)
            if len(own):
                rows = given[own]
                fields = {f.name: _given_values(columns, f.name, rows) for f in k.fields}
                found.append(Spans(k, subject_of[own], places[own], columns.at[rows], fields))
        return found


def _given_values(columns: Columns, name: str, rows: Array) -> tuple[Array, Array]:
    column = columns.fields.get(name)
    if column is None:
        return numpy.zeros(len(rows), numpy.int64), numpy.zeros(len(rows), bool)
    present = numpy.ones(len(rows), bool) if column.present is None else column.present[rows]
    return column.values[rows], present


def _places_of_given(subjects: Array, number: Array, place: Array) -> Array:
    """Where given facts stand in the run of their subject: in what places derived ones leave free."""
    firsts = numpy.searchsorted(subjects, subjects)
    rank = numpy.arange(len(subjects)) - firsts
    begins = numpy.searchsorted(number, number)
    before = place - (numpy.arange(len(number)) - begins)  # given facts before a derived one
    width = int(max(before.max(initial=0), rank.max(initial=0))) + 2
    through = numpy.searchsorted(number * width + before, subjects * width + rank, "right")
    return rank + through - numpy.searchsorted(number, subjects)


@dataclass(frozen=True, slots=True)
class Spans:
    """Facts of one kind: their subjects, their places in the runs, when they happened, and their fields."""

    kind: Kind
    subject: Array
    place: Array
    at: Array
    fields: Mapping[str, tuple[Array, Array]]

    def keys(self, slots: tuple[int, ...]) -> tuple[list[Array], Array]:
        """The values in some slots, and where none of them is missing."""
        pairs = [self.fields[self.kind.fields[slot].name] for slot in slots]
        whole = numpy.ones(len(self.at), bool)
        for _, present in pairs:
            whole &= present
        return [values for values, _ in pairs], whole


def status_of(ruleset: Ruleset, subjects: int, spans: list[Spans], as_of: int) -> Array:
    """The kind of the highest severity that is active, for each subject; -1 where none is (semantics 9)."""
    effects = sorted((k for k in ruleset.kinds if k.effect), key=lambda k: (-k.severity, k.index))
    rank = {k.index: place for place, k in enumerate(effects)}
    best = numpy.full(subjects, len(effects), numpy.int64)
    for span in spans:
        if span.kind.effect:
            enders = [e for e in spans if e.kind.ends is not None and e.kind.ends.kind == span.kind.index]
            active = _active(span, enders, as_of)
            numpy.minimum.at(best, span.subject[active], rank[span.kind.index])
    return numpy.array([*(k.index for k in effects), -1], numpy.int64)[best]


def _active(span: Spans, enders: list[Spans], as_of: int) -> Array:
    """Which of the facts are in force at the run's instant; none happened after it."""
    active = numpy.ones(len(span.at), bool)
    if span.kind.effect == "interval":
        until, present = span.fields["until"]
        active = present & (until > as_of)
    for ender in enders:
        active &= ~_ended(span, ender)
    return active


def _ended(span: Spans, ender: Spans) -> Array:
    """Which of the facts are ended by one that stands behind them and has the same key."""
    ends = ender.kind.ends
    if ends is None:
        return numpy.zeros(len(span.at), bool)
    theirs, whole = ender.keys(tuple(slot for _, slot in ends.slots))
    own, complete = span.keys(tuple(slot for slot, _ in ends.slots))
    columns = [numpy.concatenate((span.subject, ender.subject[whole]))]
    columns += [numpy.concatenate((mine, other[whole])) for mine, other in zip(own, theirs, strict=True)]
    _, group = numpy.unique(numpy.stack(columns), axis=1, return_inverse=True)
    group = group.reshape(-1)
    latest = numpy.full(int(group.max(initial=-1)) + 1, -1, numpy.int64)
    numpy.maximum.at(latest, group[len(span.at) :], ender.place[whole])
    found: Array = complete & (latest[group[: len(span.at)]] > span.place)
    return found
