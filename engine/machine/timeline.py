"""A run: facts in order, voids, steps, what is scheduled, and what each step concludes (semantics 2 to 7 and 11).

The timeline drives; which rules hold for a step's facts is decided by an engine's `Program`, stratum by stratum.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Protocol

from strikeout.graphs import GraphView

from ..facts import Fact, Value
from ..functions import Place
from ..model import Rule, Ruleset
from .evaluate import Fault, Frame, Indices, shapes
from .rules import CompiledRule, Firing, try_rule
from .runs import (
    SCHEDULED_STEPS,
    Entry,
    JournalEntry,
    Late,
    Pending,
    Program,
    Reason,
    Rejection,
    SubjectRun,
    Voided,
    run_subject,
)

__all__ = [
    "SCHEDULED_STEPS",
    "BaseProgram",
    "DirectProgram",
    "Entry",
    "JournalEntry",
    "Late",
    "Pending",
    "Program",
    "Reason",
    "Rejection",
    "Stepwise",
    "SubjectRun",
    "Voided",
    "decide_voids",
    "run_steps",
    "run_subject",
]


class Stepwise(Protocol):
    """A program whose rules the timeline tries, step by step."""

    ruleset: Ruleset
    rules: Sequence[CompiledRule]
    void_rules: Sequence[CompiledRule]
    by_kind: Sequence[Sequence[int]]

    def view(self, subject: str) -> GraphView:
        """An empty graph view for a subject."""

    def void_view(self, subject: str) -> GraphView:
        """An empty graph view for the void rules."""

    def decide(self, tried: Sequence[tuple[int, Entry]], view: GraphView, step: int) -> list[Firing]:
        """Which of the rules tried, all of one stratum, fire for which of a step's facts; in the order given."""


class BaseProgram:
    """What every engine's program has: the rules compiled, and which of them a kind triggers."""

    def __init__(self, ruleset: Ruleset) -> None:
        place = Place(ruleset.zone, ruleset.calendar)
        indices, void_indices = Indices(), Indices()
        self.ruleset = ruleset
        self.rules: Sequence[CompiledRule] = [CompiledRule(rule, ruleset, place, indices) for rule in ruleset.rules]
        self.void_rules: Sequence[CompiledRule] = [
            CompiledRule(rule, ruleset, place, void_indices) for rule in ruleset.void_rules
        ]
        self.by_kind: Sequence[Sequence[int]] = [
            [number for number, rule in enumerate(ruleset.rules) if kind in rule.triggers] for kind in ruleset.kinds
        ]
        self._indices = indices
        self._void_indices = void_indices
        self._shapes = shapes(ruleset, indices.rows)
        self._void_shapes = shapes(ruleset, void_indices.rows)

    def view(self, subject: str) -> GraphView:
        """An empty graph view for a subject."""
        return GraphView((self.ruleset.subject, subject), self._indices.rows, self._shapes)

    def void_view(self, subject: str) -> GraphView:
        """An empty graph view for the void rules."""
        return GraphView((self.ruleset.subject, subject), self._void_indices.rows, self._void_shapes)

    def decide(self, tried: Sequence[tuple[int, Entry]], view: GraphView, step: int) -> list[Firing]:
        """Which rules fire; see `Stepwise.decide`."""
        raise NotImplementedError

    def run_subject(self, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
        """Run the facts of one subject, step by step."""
        return run_steps(self, subject, facts, as_of)


class _Rejected(Exception):
    def __init__(self, fault: Fault, rule: Rule, fact: Fact, at: int) -> None:
        self.fault, self.rule, self.fact, self.at = fault, rule, fact, at
        super().__init__(fault.message)


def decide_voids(program: Stepwise, subject: str, facts: Sequence[Fact]) -> list[Voided]:
    """Which of a run's input facts are voided, by which fact and rule (semantics 6).

    Parameters
    ----------
    program : Program
        The ruleset.
    subject : str
        The subject.
    facts : sequence of Fact
        The run's input facts in the order of semantics 2.
    """
    triggers = {kind.index for rule in program.void_rules for kind in rule.rule.triggers}
    if not any(fact.kind.index in triggers for fact in facts):
        return []
    view = program.void_view(subject)
    groups: dict[tuple[int, tuple[int, ...]], dict[tuple[Value, ...], list[int]]] = {}
    taken: dict[tuple[int, tuple[int, ...], tuple[Value, ...]], int] = {}
    voided: dict[int, Voided] = {}
    for step, fact in enumerate(facts):
        view.add(fact.kind.index, fact, step)
        if fact.kind.index not in triggers:
            continue
        for rule in program.void_rules:
            if fact.kind not in rule.rule.triggers:
                continue
            try:
                frame = rule.frame(fact, step, view)
                if frame is None or (rule.condition is not None and not rule.condition(frame)):
                    continue
            except Fault as fault:
                raise _Rejected(fault, rule.rule, fact, fact.from_then_on) from None
            for target, slots, keys in rule.voids:
                name = (target.kind.index, tuple(slots))
                if name not in groups:
                    groups[name] = _grouped(facts, target.kind.index, slots)
                key = tuple(evaluator(frame) for evaluator in keys)
                places = groups[name].get(key, [])
                start = taken.get((*name, key), 0)
                while start < len(places) and facts[places[start]].at <= fact.at:
                    voided.setdefault(places[start], Voided(facts[places[start]], fact, rule.rule))
                    start += 1
                taken[(*name, key)] = start
    return [voided[place] for place in sorted(voided)]


def _grouped(facts: Sequence[Fact], kind: int, slots: Sequence[int]) -> dict[tuple[Value, ...], list[int]]:
    groups: dict[tuple[Value, ...], list[int]] = {}
    for place, fact in enumerate(facts):
        if fact.kind.index == kind:
            key = tuple(fact.values[slot] for slot in slots)
            if None not in key:
                groups.setdefault(key, []).append(place)
    return groups


class _Timeline:
    """The state of one subject's run."""

    def __init__(self, program: Stepwise, subject: str, as_of: int) -> None:
        self.program = program
        self.subject = subject
        self.as_of = as_of
        self.view = program.view(subject)
        self.entries: list[Entry] = []
        self.waiting: list[tuple[int, int, Fact, list[Reason]]] = []
        self.scheduled = 0
        self.step_number = 0
        self.scheduled_steps = 0
        self.over = False
        self.terminal = program.ruleset.terminal

    def run(self, facts: Sequence[Fact]) -> None:
        """Take the input facts in order, and what is scheduled when it falls due (semantics 4)."""
        limit = SCHEDULED_STEPS * (1 + len(facts))
        for fact in facts:
            self.fall_due(fact.at, limit)
            self.step(fact, True, [])
        self.fall_due(self.as_of, limit)

    def fall_due(self, instant: int, limit: int) -> None:
        """Take what is scheduled up to an instant; at one instant it comes before inputs."""
        while self.waiting and self.waiting[0][0] <= instant:
            _, _, fact, reasons = heapq.heappop(self.waiting)
            self.scheduled_steps += 1
            if self.scheduled_steps > limit:
                message = f"more than {limit:,} scheduled steps"
                first = reasons[0]
                fault = Fault("steps", message, first.derivation.span)
                raise _Rejected(fault, first.rule, fact, fact.at)
            self.step(fact, False, reasons)

    def step(self, fact: Fact, given: bool, reasons: list[Reason]) -> None:
        """One step: the fact that brings it, then the rules stratum by stratum (semantics 5)."""
        self.step_number += 1
        brought = Entry(fact, self.step_number, len(self.entries), given, not given, reasons)
        self.stand(brought)
        if self.over:
            return
        program, rules = self.program, self.program.ruleset.rules
        step_entries: dict[int, list[Entry]] = {fact.kind.index: [brought]}
        agenda = list(program.by_kind[fact.kind.index])
        derived: dict[tuple[int, tuple[Value, ...]], Entry] = {}
        planned: dict[tuple[int, int, tuple[Value, ...]], list[Reason]] = {}
        ended = self.terminal is not None and fact.kind is self.terminal
        while agenda:
            stratum = rules[agenda[0]].stratum
            tried: list[tuple[int, Entry]] = []
            rest: list[int] = []
            for number in agenda:
                if rules[number].stratum == stratum:
                    tried.extend((number, entry) for entry in self.triggers(rules[number], step_entries))
                else:
                    rest.append(number)
            new_kinds: set[int] = set()
            laddered = -1
            for firing in program.decide(tried, self.view, self.step_number):
                if firing.rule == laddered:
                    continue
                rule = program.rules[firing.rule]
                if firing.fault is not None:
                    raise self.rejected(firing.fault, rule.rule, firing.trigger.fact)
                if firing.frame is None:
                    continue
                if firing.crossing:
                    laddered = firing.rule
                for entry in self.follow(rule, firing, firing.frame, derived, planned):
                    kind = entry.fact.kind
                    step_entries.setdefault(kind.index, []).append(entry)
                    new_kinds.add(kind.index)
                    ended = ended or kind is self.terminal
            if new_kinds:
                found = {number for kind in new_kinds for number in program.by_kind[kind]}
                rest = sorted({*rest, *(n for n in found if rules[n].stratum > stratum)})
            agenda = rest
        self.over = ended

    @staticmethod
    def triggers(rule: Rule, step_entries: dict[int, list[Entry]]) -> list[Entry]:
        """The facts of this step that a rule is tried for, in their order."""
        if len(rule.triggers) == 1:
            return step_entries.get(rule.triggers[0].index, [])
        found = [entry for kind in rule.triggers for entry in step_entries.get(kind.index, ())]
        return sorted(found, key=lambda entry: entry.place)

    def follow(
        self,
        rule: CompiledRule,
        firing: Firing,
        frame: Frame,
        derived: dict[tuple[int, tuple[Value, ...]], Entry],
        planned: dict[tuple[int, int, tuple[Value, ...]], list[Reason]],
    ) -> list[Entry]:
        """What follows from a firing: new facts of this step, and facts scheduled."""
        new: list[Entry] = []
        threshold = rule.thresholds[firing.crossing - 1] if firing.crossing else None
        for derivation in rule.steps[firing.crossing - 1] if firing.crossing else rule.then:
            try:
                fact = derivation.fact(frame, self.subject)
            except Fault as fault:
                raise self.rejected(fault, rule.rule, firing.trigger.fact) from None
            reason = Reason(rule.rule, firing.trigger, threshold, derivation.derivation)
            if derivation.at is not None:
                plan = (fact.at, fact.kind.index, fact.values)
                if plan in planned:
                    planned[plan].append(reason)
                else:
                    planned[plan] = [reason]
                    self.scheduled += 1
                    heapq.heappush(self.waiting, (fact.at, self.scheduled, fact, planned[plan]))
                continue
            key = (fact.kind.index, fact.values)
            same = derived.get(key)
            if same is not None:
                same.reasons.append(reason)
                continue
            entry = derived[key] = Entry(fact, self.step_number, len(self.entries), False, False, [reason])
            self.stand(entry)
            new.append(entry)
        return new

    def stand(self, entry: Entry) -> None:
        """Add a fact to the run."""
        self.entries.append(entry)
        self.view.add(entry.fact.kind.index, entry.fact, entry.step)

    @staticmethod
    def rejected(fault: Fault, rule: Rule, fact: Fact) -> _Rejected:
        """A fault with the rule and the fact that it belongs to."""
        return _Rejected(fault, rule, fact, fact.at)


def run_steps(program: Stepwise, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
    """The same for a program whose rules are tried step by step."""
    current = [fact for fact in facts if fact.from_then_on <= as_of]
    later = tuple(fact for fact in facts if fact.from_then_on > as_of)
    try:
        voided = decide_voids(program, subject, current) if program.void_rules else []
        gone = {id(void.fact) for void in voided}
        standing = [fact for fact in current if id(fact) not in gone] if gone else current
        timeline = _Timeline(program, subject, as_of)
        timeline.run(standing)
    except _Rejected as error:
        fault = error.fault
        rejection = Rejection(fault.code, fault.message, subject, error.rule, error.fact, fault.span, error.at)
        return SubjectRun(subject, as_of, (), (), (), later, 0, rejection)
    pending = tuple(
        Pending(fact, tuple(reasons)) for _, _, fact, reasons in sorted(timeline.waiting, key=lambda w: w[:2])
    )
    entries, used = tuple(timeline.entries), len(standing)
    return SubjectRun(subject, as_of, entries, pending, tuple(voided), later, used, None, len(entries) - used)


class DirectProgram(BaseProgram):
    """The program that tries each rule by its closures, one after the other."""

    def decide(self, tried: Sequence[tuple[int, Entry]], view: GraphView, step: int) -> list[Firing]:
        """Which rules fire; see `Stepwise.decide`."""
        firings = []
        for number, entry in tried:
            firing = try_rule(self.rules[number], number, entry, view, step)
            if firing is not None:
                firings.append(firing)
        return firings
