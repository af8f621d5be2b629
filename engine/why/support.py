"""What conclusions rest on: the given facts of which one must go, before any of those conclusions can.

A conclusion rests on facts that were counted, and on others that were not: what merged into a fact counts, once that is
withdrawn. Both are followed, through the rules that fired and through those that did not, down to facts given. Where a
set of given facts meets none of those found here, the conclusions stand without it; so whoever looks for a set that
undoes them may pass over all others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..facts import Fact, Kind, Value
from ..machine.evaluate import Fault
from ..machine.timeline import Entry, SubjectRun
from ..model import (
    Aggregate,
    Derivation,
    Expression,
    LetValue,
    Literal,
    OwnField,
    Rule,
    Ruleset,
    Selection,
    Since,
    TriggerField,
    Window,
    walk,
)
from .history import History
from .replay import View, conjuncts
from .trials import Trials

EARLIEST = -(2**63)
LAST_STEP = 2**62

Key = frozenset[tuple[int, Value]]
"""Slots of a kind, each with the value that it has."""


class Unclear(Exception):
    """What a conclusion rests on cannot be told."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """That no further fact of a kind arrives: with these values, from an instant and a step on, up to a step.

    `tested` are slots on which it also depends whether a fact is among those meant.
    """

    kind: Kind
    key: Key
    tested: frozenset[int] = frozenset()
    at: int = EARLIEST
    step: int = 0
    last: int = LAST_STEP


class Support:
    """Tells what conclusions of one subject's run rest on.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run; it was not rejected.
    """

    def __init__(self, ruleset: Ruleset, run: SubjectRun) -> None:
        self.ruleset = ruleset
        self.history = History(ruleset, run)
        self.trials = Trials(self.history)
        self.run = run
        self.makers: list[list[tuple[Rule, Derivation]]] = [[] for _ in ruleset.kinds]
        for rule in ruleset.rules:
            for _, _, derivation in rule.derivations():
                self.makers[derivation.kind.index].append((rule, derivation))
        self.fired: dict[tuple[str, int], set[int]] = {}
        for reasons in (*(entry.reasons for entry in run.entries), *(pending.reasons for pending in run.pending)):
            for reason in reasons:
                self.fired.setdefault((reason.rule.name, reason.trigger.place), set()).add(id(reason.derivation))

    def of(self, entries: Iterable[Entry], arrivals: Iterable[Arrival] = (), terminal: bool = True) -> set[Fact] | None:
        """The given facts that conclusions rest on.

        Parameters
        ----------
        entries : iterable of Entry
            Facts of the run.
        arrivals : iterable of Arrival
            What must not arrive either.
        terminal : bool
            Whether to follow also what could have brought an earlier fact of the terminal kind (semantics 7).

        Returns
        -------
        set of Fact or None
            Given facts; without one of them no set of given facts can be taken away so that a conclusion goes or a fact
            arrives. None where that cannot be told.
        """
        search = _Search(self)
        targets = list(entries)
        for entry in targets:
            search.entry(entry)
        search.waiting.extend(arrivals)
        end = self.ruleset.terminal
        if terminal and end is not None and targets:
            search.waiting.append(Arrival(end, frozenset(), last=max(entry.step for entry in targets)))
        try:
            search.finish()
        except (Unclear, Fault):
            return None
        return search.facts


class _Search:
    """One search: what is yet to be followed, and what was."""

    def __init__(self, support: Support) -> None:
        self.support = support
        self.history, self.trials = support.history, support.trials
        self.facts: set[Fact] = set()
        self.waiting: list[Entry | Arrival] = []
        self.entries: set[int] = set()
        self.tried: set[tuple[str, int, int]] = set()
        self.scanned: dict[tuple[int, Key, frozenset[int]], Arrival] = {}

    def finish(self) -> None:
        """Follow all that is waiting."""
        while self.waiting:
            found = self.waiting.pop()
            if isinstance(found, Arrival):
                self.arrival(found)
            elif found.given:
                self.facts.add(found.fact)
            else:
                reason = found.reasons[0]
                self.fired(reason.rule, reason.trigger, reason.derivation)

    def entry(self, entry: Entry) -> None:
        """That a fact stands."""
        if entry.place not in self.entries:
            self.entries.add(entry.place)
            self.waiting.append(entry)

    def stand(self, place: int) -> None:
        """That the fact at a place stands."""
        self.entry(self.support.run.entries[place])

    # Rules.

    def fired(self, rule: Rule, trigger: Entry, derivation: Derivation) -> None:
        """That a rule fires for a trigger, with the same values."""
        if self._seen(rule, trigger, id(derivation)):
            return
        self.entry(trigger)
        view = View(rule, self.history.stand(trigger), [], {}, False, False)
        self.joins(view, len(rule.joins))
        expressions = [*(value for value in derivation.values if value is not None)]
        if rule.condition is not None:
            expressions.append(rule.condition)
        if derivation.at is not None:
            expressions.append(derivation.at)
        self.read(view, expressions)
        if rule.ladder is not None:
            self.climb(view, rule.ladder.of)
            for kind in rule.triggers:
                row = self.history.kinds[kind.index]
                for other in row.entries[bisect_left(row.steps, trigger.step) : bisect_right(row.steps, trigger.step)]:
                    if other.place < trigger.place:
                        self.unfired(rule, other)
                self.waiting.append(Arrival(kind, frozenset(), step=trigger.step, last=trigger.step))

    def unfired(self, rule: Rule, trigger: Entry) -> None:
        """That a rule goes on not to fire for a trigger."""
        if self._seen(rule, trigger, 0):
            return
        trial = self.trials.in_short(rule, self.history.stand(trigger))
        view = View(rule, trial.trigger, [], {}, False, False)
        match trial.stage:
            case "not-in-force":
                return
            case "over" if self.history.over is not None:
                self.stand(self.history.over.place)
            case "join":
                self.joins(view, len(trial.joined))
            case "condition":
                self.joins(view, len(rule.joins))
                self.read(view, [conjuncts(rule.condition)[len(trial.conditions) - 1]])
            case "ladder" | "other-step" | "fired" if rule.ladder is not None:
                self.joins(view, len(rule.joins))
                self.climb(view, rule.ladder.of)
            case _:
                raise Unclear

    def _seen(self, rule: Rule, trigger: Entry, how: int) -> bool:
        key = (rule.name, trigger.place, how)
        if key in self.tried:
            return True
        self.tried.add(key)
        return False

    def climb(self, view: View, of: Expression) -> None:
        """That a ladder's measure is the same, before the step and now."""
        self.read(view, [of])
        self.read(View(view.rule, view.trigger, view.joined, {}, True, False), [of])

    def joins(self, view: View, number: int) -> None:
        """That the first so many joins find the same facts."""
        for join in view.rule.joins[:number]:
            newest = self.select(view, join.selection, None, None, "last")
            if newest is not None:
                view.joined.append(self.history.stand(newest))

    def read(self, view: View, expressions: Sequence[Expression]) -> None:
        """That what expressions read stays the same."""
        for aggregate in _aggregates(view.rule, expressions):
            self.select(view, aggregate.selection, aggregate.window, aggregate.slot, aggregate.function)

    def select(self, view: View, selection: Selection, window: Window, slot: int | None, function: str) -> Entry | None:
        """That an aggregate comes to the same; the newest fact found."""
        if isinstance(window, Since):
            self.select(view, window.selection, None, None, "last")
        found = self.support.trials.replay.found(selection, window, slot, view)
        tally = found.tally
        counted = tally.counted
        newest = self.support.run.entries[counted[-1].place] if counted else None
        if function in ("any", "none") and newest is not None:
            self.entry(newest)
            return newest
        for stand in counted[:1] if function == "first" else counted[-1:] if function == "last" else counted:
            self.stand(stand.place)
        if None in found.key:
            return newest
        where = selection.where
        own = (part.slot for part in walk(where) if isinstance(part, OwnField)) if where is not None else ()
        self.waiting.append(
            Arrival(
                selection.kind,
                frozenset(zip((slot for slot, _ in selection.by), found.key, strict=True)),
                frozenset(slot for slot in own if slot >= 0),
                EARLIEST if tally.begins is None else tally.begins,
                0 if tally.since is None else tally.since.step,
                view.trigger.step - tally.earlier_only,
            )
        )
        return newest

    # What could arrive.

    def arrival(self, asked: Arrival) -> None:
        """That no further fact arrives."""
        name = (asked.kind.index, asked.key, asked.tested)
        known = self.scanned.get(name)
        if known is not None:
            if known.at <= asked.at and known.step <= asked.step and asked.last <= known.last:
                return
            first, start = min(known.at, asked.at), min(known.step, asked.step)
            asked = Arrival(asked.kind, asked.key, asked.tested, first, start, max(known.last, asked.last))
        self.scanned[name] = asked
        for rule, derivation in self.support.makers[asked.kind.index]:
            at, step = (EARLIEST, 0) if derivation.at is not None else (asked.at, asked.step)
            slots = {slot for slot, _ in asked.key} | asked.tested
            sure = all(_settled(derivation.values[slot]) for slot in slots)
            for kind in rule.triggers:
                pulled = _pulled(derivation, asked.key, kind)
                if pulled is None:
                    continue
                for entry in self._triggers(kind, at, step, asked.last):
                    if not _has(entry.fact, derivation, asked.key):
                        continue
                    if id(derivation) not in self.support.fired.get((rule.name, entry.place), ()):
                        self.unfired(rule, entry)
                    elif not sure:
                        self.fired(rule, entry, derivation)
                if self.support.makers[kind.index]:
                    self.waiting.append(Arrival(kind, pulled, frozenset(), at, step, asked.last))

    def _triggers(self, kind: Kind, at: int, step: int, last: int) -> Iterator[Entry]:
        row = self.history.kinds[kind.index]
        low = max(bisect_left(row.steps, step), bisect_left(row.ats, at))
        yield from row.entries[low : bisect_right(row.steps, last)]


def _aggregates(rule: Rule, expressions: Sequence[Expression]) -> Iterator[Aggregate]:
    """The aggregates in expressions of a rule, and in the `let` values that they use."""
    waiting, lets = list(expressions), set[int]()
    while waiting:
        for node in walk(waiting.pop()):
            if isinstance(node, Aggregate):
                yield node
            elif isinstance(node, LetValue) and node.let not in lets:
                lets.add(node.let)
                waiting.append(rule.lets[node.let].value)


def _settled(expression: Expression | None) -> bool:
    """Whether the trigger alone decides what a field comes to."""
    return expression is None or isinstance(expression, Literal | TriggerField)


def _has(trigger: Fact, derivation: Derivation, key: Key) -> bool:
    """Whether what follows from a trigger may have these values."""
    for slot, wanted in key:
        expression, default = derivation.values[slot], derivation.kind.fields[slot].default
        if expression is None and wanted != default:
            return False
        if isinstance(expression, Literal) and expression.value != wanted:
            return False
        if isinstance(expression, TriggerField):
            value = trigger.get(expression.name)
            if (default if value is None else value) != wanted:
                return False
    return True


def _pulled(derivation: Derivation, key: Key, trigger: Kind) -> Key | None:
    """The values that a trigger must have, for what follows from it to have those of a key; None where it cannot."""
    found: set[tuple[int, Value]] = set()
    for slot, wanted in key:
        expression, default = derivation.values[slot], derivation.kind.fields[slot].default
        if (expression is None and wanted != default) or (
            isinstance(expression, Literal) and expression.value != wanted
        ):
            return None
        if isinstance(expression, TriggerField) and wanted != default:
            found.update((place, wanted) for kind, place in expression.slots if kind == trigger.index)
    return frozenset(found)
