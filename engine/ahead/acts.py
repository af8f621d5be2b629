"""What can still be done: facts that would void others, answers that a ruleset waits for, and more of the same.

All of it follows from the ruleset: a kind that voids, one that is asked for when a deadline is over, one that leads to
a fact that ends another. Fields are filled in from the facts that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ..facts import BOOLEAN, ID, TIME, Fact, Field, Kind, Type, Value, having, merge_duplicates
from ..machine.timeline import Entry, SubjectRun
from ..model import Aggregate, Rule, Ruleset, TriggerField, rule_expressions, selections, walk
from ..speech.outcome import identity
from .act_kinds import answering_kinds, only_voids, voids_add_up

Rerun = Callable[[Sequence[Fact], int], SubjectRun]
"""Runs facts of one subject as of an instant."""

MOST_ANSWERED = 60
"""For how many of the given facts, the newest, answers are tried that no deadline asks for."""

MOST_SEEN = 2
"""How many values a field is tried with that nothing else fills in: the newest of those that facts have there."""

MOST_VARIANTS = 16
"""With how many combinations of values a fact is tried, where nothing says which."""


@dataclass(frozen=True, slots=True)
class Act:
    """A fact that can be added.

    Attributes
    ----------
    fact : Fact
        The fact.
    voids : frozenset of Fact
        The given facts that it voids; none, where it is an answer.
    answers : Fact or None
        The pending fact that it answers; it must come before that one falls due.
    adds : bool
        Whether other rules than void rules take note of it.
    sure : bool
        Whether it voids the same, whatever else is added.
    """

    fact: Fact
    voids: frozenset[Fact] = frozenset()
    answers: Fact | None = None
    adds: bool = True
    sure: bool = True


def known_facts(run: SubjectRun) -> list[Fact]:
    """The input facts that a run knows, those voided among them, in the order of semantics 2."""
    given = [entry.fact for entry in run.entries if entry.given]
    voided = [void.fact for void in run.voided]
    return merge_duplicates([*given, *voided]) if voided else given


def horizon(run: SubjectRun) -> int:
    """The instant at which the last of what is pending falls due; that of the run, where nothing is."""
    return max((pending.fact.at for pending in run.pending), default=run.as_of)


# Facts.


Seen = Mapping[tuple[str, Type], Sequence[Value]]
"""By a field's name and type, values that facts of the subject have there, the newest first."""


def seen_in(facts: Sequence[Fact]) -> Seen:
    """The newest few values of each field in facts of a subject."""
    found: dict[tuple[str, Type], list[Value]] = {}
    for fact in reversed(facts):
        for field, value in zip(fact.kind.fields, fact.values, strict=True):
            known = found.setdefault((field.name, field.type), [])
            if value is not None and len(known) < MOST_SEEN and value not in known:
                known.append(value)
    return found


def filled(kind: Kind, at: int, subject: str, values: dict[str, Value], seen: Seen) -> Iterator[Fact]:
    """The facts of a kind with these values by field, every field of the kind that lacks one filled in if it can be.

    A default or nothing where that will do; every member of an enum, both booleans, the instant; else values
    that the subject's facts have in a field of that name.
    """
    choices: list[tuple[Value, ...]] = []
    number = 1
    for field in kind.fields:
        choice = _choice(field, at, values.get(field.name), seen)
        if not choice or number * len(choice) > MOST_VARIANTS:
            return
        number *= len(choice)
        choices.append(choice)
    for chosen in product(*choices):
        yield Fact(kind, at, subject, chosen, 0, at)


def _choice(field: Field, at: int, value: Value, seen: Seen) -> tuple[Value, ...]:
    if value is not None:
        return (value,)
    if field.default is not None or not field.required:
        return (field.default,)
    if field.type.is_enum:
        return field.type.members
    if field.type == BOOLEAN:
        return (False, True)
    return (at,) if field.type == TIME else tuple(seen.get((field.name, field.type), ()))


def taken_from(fact: Fact, kind: Kind) -> dict[str, Value]:
    """The values that a fact of a kind takes over from another: of fields of the same name and type."""
    own = {field.name: field.type for field in kind.fields}
    return {
        field.name: value
        for field, value in zip(fact.kind.fields, fact.values, strict=True)
        if own.get(field.name) == field.type
    }


def voiding(ruleset: Ruleset, run: SubjectRun, known: Sequence[Fact], rerun: Rerun) -> list[Act]:
    """The facts that would void given ones, as of the run's instant, each with what it voids.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run, as of the instant at which they would be made.
    known : sequence of Fact
        The input facts that it knows.
    rerun : callable
        Runs facts of the subject.
    """
    standing = [entry.fact for entry in run.entries if entry.given]
    at, subject, seen = run.as_of, run.subject, seen_in(known)
    found: dict[Fact, Rule] = {}
    for rule in ruleset.void_rules:
        if (rule.starts is not None and at < rule.starts) or (rule.ends is not None and at >= rule.ends):
            continue
        for target in rule.voids:
            for fact in standing:
                if fact.kind is target.kind:
                    for kind in rule.triggers:
                        values = taken_from(fact, kind)
                        values |= {
                            expression.name: fact.values[slot]
                            for slot, expression in target.by
                            if isinstance(expression, TriggerField)
                        }
                        for made in filled(kind, at, subject, values, seen):
                            found.setdefault(made, rule)
    present, add_up = set(known), voids_add_up(ruleset)
    standing_by = _Keyed(standing)
    acts = []
    for made in found:
        if made not in present:
            voids = _voided(ruleset, run, known, made, standing_by, rerun)
            if voids:
                acts.append(Act(made, voids, None, not only_voids(ruleset, made.kind), add_up))
    return acts


class _Keyed:
    """Facts by the values that they have in some slots."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._facts = facts
        self._keyed: dict[tuple[Kind, tuple[int, ...]], dict[tuple[Value, ...], list[Fact]]] = {}

    def of(self, kind: Kind, slots: tuple[int, ...], key: tuple[Value, ...]) -> Sequence[Fact]:
        """The facts of a kind that have these values."""
        known = self._keyed.get((kind, slots))
        if known is None:
            known = self._keyed[kind, slots] = {}
            for fact in self._facts:
                if fact.kind is kind:
                    known.setdefault(tuple([fact.values[slot] for slot in slots]), []).append(fact)
        return () if None in key else known.get(key, ())


def _voided(
    ruleset: Ruleset, run: SubjectRun, known: Sequence[Fact], made: Fact, standing: _Keyed, rerun: Rerun
) -> frozenset[Fact]:
    """What a fact would void that is not voided yet."""
    rules = [rule for rule in ruleset.void_rules if made.kind in rule.triggers]
    if all(_unconditional(rule) for rule in rules):
        found: list[Fact] = []
        for rule in rules:
            for target in rule.voids:
                slots = tuple(slot for slot, _ in target.by)
                key = tuple(made.get(e.name) for _, e in target.by if isinstance(e, TriggerField))
                found += standing.of(target.kind, slots, key)
        return frozenset(found)
    after = rerun(having(known, made), run.as_of)
    before = {void.fact for void in run.voided}
    return frozenset(void.fact for void in after.voided if void.fact not in before)


def _unconditional(rule: Rule) -> bool:
    expressions = [expression for target in rule.voids for _, expression in target.by]
    plain = rule.condition is None and not rule.joins and rule.starts is None and rule.ends is None
    return plain and all(isinstance(expression, TriggerField) for expression in expressions)


def answering(ruleset: Ruleset, run: SubjectRun, known: Sequence[Fact], ahead: SubjectRun, rerun: Rerun) -> list[Act]:
    """The answers that the ruleset waits for: those to what is pending, and those that alone change something now.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run, as of the instant at which they would be made.
    known : sequence of Fact
        The input facts that it knows.
    ahead : SubjectRun
        The run of these facts as of the instant at which the last of what is pending falls due.
    rerun : callable
        Runs facts of the subject.
    """
    kinds = [ruleset.kinds[index] for index in sorted(answering_kinds(ruleset))]
    present, at, seen = set(known), run.as_of, seen_in(known)
    found: dict[Fact, Act] = {}
    for pending in run.pending:
        for kind in _asked_for(ruleset, pending.fact, ahead):
            if kind in kinds:
                for made in filled(kind, at, run.subject, taken_from(pending.fact, kind), seen):
                    if made not in present:
                        found.setdefault(made, Act(made, answers=pending.fact))
    before = _all_of(ahead)
    standing = [entry.fact for entry in run.entries if entry.given]
    tried: set[Fact] = set()
    triggers = {kind.index for rule in ruleset.rules for kind in rule.triggers}
    for kind in kinds:
        for fact in standing[-MOST_ANSWERED:] if kind.index in triggers or kind.ends is not None else ():
            for made in filled(kind, at, run.subject, taken_from(fact, kind), seen):
                if made in found or made in present or made in tried:
                    continue
                tried.add(made)
                after = rerun(having(known, made), ahead.as_of)
                if after.rejection is None and _all_of(after) != before:
                    found[made] = Act(made)
    return list(found.values())


def _asked_for(ruleset: Ruleset, pending: Fact, ahead: SubjectRun) -> Iterator[Kind]:
    """The kinds that are asked for in the step of a pending fact."""
    due = next((e for e in ahead.entries if e.scheduled and e.fact == pending), None)
    if due is None:
        return
    triggers = {entry.fact.kind for entry in ahead.entries if entry.step == due.step}
    for rule in ruleset.rules:
        if triggers.isdisjoint(rule.triggers):
            continue
        yield from (join.selection.kind for join in rule.joins)
        for expression in rule_expressions(rule):
            for node in walk(expression):
                if isinstance(node, Aggregate):
                    yield from (selection.kind for selection in selections(node))


def _all_of(run: SubjectRun) -> tuple[object, ...]:
    """All that a run concludes and schedules."""
    pending = [(p.fact.kind.index, p.fact.at, p.fact.values, p.reasons[0].rule.name) for p in run.pending]
    return (*(identity(entry) for entry in run.conclusions), *pending)


# More of the same.


def fresh_id(taken: Collection[Value], stem: str = "new") -> Iterator[str]:
    """Ids that are not taken yet."""
    number = 0
    while True:
        number += 1
        name = stem if number == 1 else f"{stem}-{number}"
        if name not in taken:
            yield name


def own_id(kind: Kind) -> int | None:
    """The slot that names a fact: the first id; none where the kind has no id."""
    return next((slot for slot, field in enumerate(kind.fields) if field.type == ID), None)


def conclusions_besides(run: SubjectRun, other: SubjectRun) -> list[Entry]:
    """The conclusions of a run that another has not, equal ones by number, rules aside."""
    has, had = run.conclusions, other.conclusions
    pairs = enumerate(zip(has, had, strict=False))
    same = next((n for n, (one, two) in pairs if one.fact != two.fact), min(len(has), len(had)))
    left: dict[tuple[object, ...], int] = {}
    for entry in had[same:]:
        key = identity(entry)[:-1]
        left[key] = left.get(key, 0) + 1
    found = []
    for entry in has[same:]:
        key = identity(entry)[:-1]
        if left.get(key, 0):
            left[key] -= 1
        else:
            found.append(entry)
    return found
