"""Tallies and differences of whole parts, by columns: the same counts as those of `tally`, subject by subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy
import pyarrow
import pyarrow.compute

from ..bulk.cells import Array, is_text
from ..bulk.columns import Columns
from ..facts import Type
from ..ground.values import DAY
from ..model import Ruleset
from ..speech.outcome import GOOD_STANDING
from .part_runs import GOOD, Derived, PartRun, derivable_fields
from .tally import EXAMPLES, REJECTED, Difference, Differences, Group, Tally, sanctions_of


def tally_of(ruleset: Ruleset, columns: Columns, run: PartRun) -> Tally:
    """The counts of a part's run."""
    derived = run.derived
    found = Tally()
    found.facts = run.summary
    found.facts.given = len(columns) + columns.duplicates
    found.facts.duplicates = columns.duplicates
    names = [kind.name for kind in ruleset.kinds]
    for place, number in zip(*numpy.unique(run.status, return_counts=True), strict=True):
        found.statuses[status_name(ruleset, int(place))] += int(number)
    counted = (
        (found.kinds, found.kind_subjects, derived.kind, names),
        (found.rules, found.rule_subjects, derived.rule, [rule.name for rule in ruleset.rules]),
    )
    for counts, subjects, numbers, named in counted:
        told = numpy.zeros(len(columns.subjects) * len(named), bool)
        told[derived.subject * len(named) + numbers] = True
        of_each = told.reshape(-1, len(named)).sum(axis=0).tolist()
        for number, total in enumerate(numpy.bincount(numbers, minlength=len(named)).tolist()):
            if total:
                counts[named[number]] = total
                subjects[named[number]] = of_each[number]
    found.months = _months(ruleset, derived)
    return found


def status_name(ruleset: Ruleset, status: int) -> str:
    """The name of a status in a part's run."""
    if status >= 0:
        return ruleset.kinds[status].name
    return GOOD_STANDING if status == GOOD else REJECTED


def _months(ruleset: Ruleset, derived: Derived) -> Counter[tuple[str, str]]:
    """Derived facts by local month and kind."""
    found: Counter[tuple[str, str]] = Counter()
    if not len(derived):
        return found
    zone, kinds = ruleset.zone, len(ruleset.kinds)
    changes, offsets = numpy.array(zone.changes, numpy.int64), numpy.array(zone.offsets, numpy.int64)
    earliest, latest = numpy.searchsorted(changes, (derived.at.min(), derived.at.max()), "right").tolist()
    if earliest == latest:
        days = (derived.at + offsets[earliest]) // DAY
    else:
        days = (derived.at + offsets[numpy.searchsorted(changes, derived.at, "right")]) // DAY
    first_day = int(days.min())
    month_of = numpy.arange(first_day, int(days.max()) + 1).astype("datetime64[D]").astype("datetime64[M]")
    months = month_of.astype(numpy.int64)[days - first_day]
    first = int(months.min())
    counts = numpy.bincount((months - first) * kinds + derived.kind)
    for place in numpy.flatnonzero(counts):
        year, month = divmod(first + int(place) // kinds, 12)
        found[f"{1970 + year:04}-{month + 1:02}", ruleset.kinds[int(place) % kinds].name] = int(counts[place])
    return found


def differences_of(
    rulesets: Sequence[Ruleset], columns: Columns, runs: Sequence[PartRun]
) -> tuple[Differences, list[Difference]]:
    """The subjects whose status or sanctions differ under two rulesets; see `tally.difference`."""
    subjects = len(columns.subjects)
    names: dict[str, int] = {}
    statuses, hashes = [], _hashes(rulesets, runs)
    sums, sanctions = [], []
    for ruleset, run, values in zip(rulesets, runs, hashes, strict=True):
        place = {s: names.setdefault(status_name(ruleset, int(s)), len(names)) for s in numpy.unique(run.status)}
        statuses.append(_mapped(run.status, place))
        effect = numpy.array([kind.name in sanctions_of(ruleset) for kind in ruleset.kinds], bool)
        counted = effect[run.derived.kind]
        sanctions.append(counted)
        bounds = numpy.searchsorted(run.derived.subject, numpy.arange(subjects + 1))
        sums.append([_sums(numpy.where(counted, values, 0).astype(numpy.uint64), bounds), _sums(counted, bounds)])
    differ = statuses[0] != statuses[1]
    for one, other in zip(*sums, strict=True):
        differ |= one != other
    places = numpy.flatnonzero(differ)
    if not len(places):
        return Differences(), []
    partings = _partings(differ, runs, hashes)
    named = list(names)
    found: list[Difference] = []
    who = columns.subjects.take(pyarrow.array(places)).to_pylist()
    codes = [own[places].tolist() for own in statuses]
    for number, subject, one, other in zip(places.tolist(), who, *codes, strict=True):
        pair = (named[one], named[other])
        parting = None if REJECTED in pair else partings.get(number)
        if parting is None:
            found.append(Difference(subject, pair, None, None, ""))
        else:
            at, side, rule = parting
            found.append(Difference(subject, pair, at, side, rulesets[side].rules[rule].name))
    return _grouped(found), found


def _grouped(found: Sequence[Difference]) -> Differences:
    whole = Differences(len(found))
    for name, groups in (("pairs", whole.pairs), ("parted", whole.parted)):
        keys: Counter[Any] = Counter()
        examples: dict[Any, list[str]] = {}
        for one in found:
            key: Any = one.statuses if name == "pairs" else (-1 if one.side is None else one.side, one.rule)
            keys[key] += 1
            some = examples.setdefault(key, [])
            if len(some) < EXAMPLES:
                some.append(one.subject)
        groups.update({key: Group(number, examples[key]) for key, number in keys.items()})
    return whole


def _mapped(values: Array, places: dict[Any, int]) -> Array:
    found = numpy.zeros(len(values), numpy.int64)
    for value, place in places.items():
        found[values == value] = place
    return found


def _sums(values: Array, bounds: Array) -> Array:
    """The sum of the values of each subject, modulo 2^64."""
    running = numpy.concatenate(([numpy.uint64(0)], numpy.cumsum(values, dtype=numpy.uint64)))
    return running[bounds[1:]] - running[bounds[:-1]]


def _partings(differ: Array, runs: Sequence[PartRun], hashes: Sequence[Array]) -> dict[int, tuple[int, int, int]]:
    """The first conclusion that only one run has, of each subject that differs: when, of which run, by which rule."""
    parts: list[list[Array]] = [[], [], [], [], [], []]
    for side, (run, values) in enumerate(zip(runs, hashes, strict=True)):
        rows = numpy.flatnonzero(differ[run.derived.subject])
        derived = run.derived
        columns = (derived.subject[rows], values[rows], numpy.full(len(rows), side), rows, derived.at[rows])
        for part, column in zip(parts, (*columns, derived.rule[rows]), strict=True):
            part.append(column)
    subject, value, side_of, row, at, rule = (numpy.concatenate(part) for part in parts)
    order = numpy.lexsort((row, side_of, value, subject))
    subject, value, side_of = subject[order], value[order], side_of[order]
    row, at, rule = row[order], at[order], rule[order]
    if not len(order):
        return {}
    new = numpy.concatenate(([True], (subject[1:] != subject[:-1]) | (value[1:] != value[:-1])))
    starts = numpy.flatnonzero(new)
    ends = numpy.append(starts[1:], len(order))
    others = numpy.add.reduceat(side_of, starts)
    firsts = ends - starts - others
    # Where the other run has more, its first stands behind those of the first run.
    chosen = numpy.where(firsts > others, starts, starts + firsts)[firsts != others]
    by = numpy.lexsort((row[chosen], side_of[chosen], at[chosen], subject[chosen]))
    chosen = chosen[by]
    _, first = numpy.unique(subject[chosen], return_index=True)
    chosen = chosen[first]
    columns_of = (subject[chosen].tolist(), at[chosen].tolist(), side_of[chosen].tolist(), rule[chosen].tolist())
    return {who: (when, which, what) for who, when, which, what in zip(*columns_of, strict=True)}


def _hashes(rulesets: Sequence[Ruleset], runs: Sequence[PartRun]) -> list[Array]:
    """A 64-bit hash of each conclusion of two runs: of instant, kind, and the fields that are not missing, by name."""
    words: dict[tuple[str, str], int] = {}

    def word(what: str, name: str) -> int:
        return words.setdefault((what, name), len(words))

    found = []
    for ruleset, run in zip(rulesets, runs, strict=True):
        derived = run.derived
        kinds = numpy.array([word("kind", kind.name) for kind in ruleset.kinds], numpy.uint64)
        total = _mixed(derived.at.astype(numpy.uint64)) + _mixed(kinds[derived.kind] + numpy.uint64(1))
        found.append(total)
    fields = [derivable_fields(ruleset) for ruleset in rulesets]
    for name in dict.fromkeys([*fields[0], *fields[1]]):
        salt = numpy.uint64(0x9E3779B97F4A7C15 * (word("field", name) + 1) & 0xFFFFFFFFFFFFFFFF)
        values = _comparable(name, [own.get(name) for own in fields], runs)
        for side, run in enumerate(runs):
            column = run.derived.fields.get(name)
            if column is None:
                continue
            part = _mixed(_mixed(values[side].astype(numpy.uint64)) ^ salt)
            found[side] += part if column.present is None else numpy.where(column.present, part, numpy.uint64(0))
    return [_mixed(total) for total in found]


def _comparable(name: str, types: Sequence[Type | None], runs: Sequence[PartRun]) -> list[Array]:
    """A field's values of both runs, so that equal ones are equal numbers."""
    columns = [run.derived.fields.get(name) for run in runs]
    values = [numpy.zeros(0, numpy.int64) if column is None else column.values for column in columns]
    if types[0] is None or types[1] is None:
        return values
    texts: list[Any] = []
    for type_, run in zip(types, runs, strict=True):
        if type_ is None or not (is_text(type_) or type_.members):
            texts.append(None)
        else:
            texts.append(pyarrow.array(type_.members) if type_.members else run.derived.texts.get(name))
    first, other = texts
    if first is None or other is None or first is other:
        return values
    places = pyarrow.compute.index_in(other, value_set=first)
    known = places.is_valid().to_numpy(zero_copy_only=False)
    codes = numpy.where(known, places.fill_null(0).to_numpy(), len(first) + numpy.arange(len(other)))
    return [values[0], codes[values[1]] if len(codes) else values[1]]


def _mixed(values: Array) -> Array:
    """Numbers mixed well, by the finishing steps of SplitMix64."""
    values = (values ^ (values >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return values ^ (values >> numpy.uint64(31))
