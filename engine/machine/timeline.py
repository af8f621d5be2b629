"""A run: facts in order, voids, steps, what is scheduled, and what each step concludes (semantics 2 to 7 and 11).

The timeline drives; which rules hold for a step's facts is decided by an engine's `Program`, stratum by stratum.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from strikeout.graphs import GraphView

from ..facts import Fact, Value
from ..functions import Place
from ..ground.problems import Span
from ..model import Derivation, Rule, Ruleset
from .evaluate import Compiler, Evaluator, Fault, Frame, Indices, shapes

SCHEDULED_STEPS = 1_000
"""How many scheduled steps a run may have, and how many more for each input fact (semantics 11)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a fact was derived: the rule, its trigger, the ladder's threshold if it is one, and the derivation."""

    rule: Rule
    trigger: Entry
    threshold: int | None
    derivation: Derivation


class Entry:
    """A fact as it stands in a run: in which step, at which place of the whole run, and why.

    `given` facts come from outside; a fact that was scheduled has its reasons from the step that scheduled it.
    """

    __slots__ = ("fact", "given", "place", "reasons", "scheduled", "step")

    def __init__(self, fact: Fact, step: int, place: int, given: bool, scheduled: bool, reasons: list[Reason]) -> None:
        self.fact = fact
        self.step = step
        self.place = place
        self.given = given
        self.scheduled = scheduled
        self.reasons = reasons

    def __repr__(self) -> str:
        return f"Entry({self.fact.kind.name} at {self.fact.at}, step {self.step})"


@dataclass(frozen=True, slots=True)
class Pending:
    """A fact that was scheduled for an instant after the run's (semantics 3)."""

    fact: Fact
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Voided:
    """An input fact that no longer holds, with the fact and the rule that voided it (semantics 6)."""

    fact: Fact
    by: Fact
    rule: Rule


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a subject's run was rejected (semantics 11): a code, what happened, the rule, the fact and the place.

    `at` is the instant of the step, or that from which on the fact that voids is used.
    """

    code: str
    message: str
    subject: str
    rule: Rule
    fact: Fact
    span: Span
    at: int


@dataclass(frozen=True, slots=True)
class SubjectRun:
    """The run of one subject as of an instant: every fact in order, what is pending, voided, later, or why not.

    Attributes
    ----------
    entries : tuple of Entry
        The facts that stand, given and derived, in the order of semantics 5.
    pending : tuple of Pending
        What is scheduled after `as_of`, by instant, then in the order in which it was scheduled.
    voided, later : tuple
        Input facts that are voided, and those known or happening only after `as_of`.
    rejection : Rejection or None
        The error that rejected the run; then it concludes nothing.
    """

    subject: str
    as_of: int
    entries: tuple[Entry, ...]
    pending: tuple[Pending, ...]
    voided: tuple[Voided, ...]
    later: tuple[Fact, ...]
    used: int
    rejection: Rejection | None = None

    @property
    def conclusions(self) -> tuple[Entry, ...]:
        """The derived facts, in order."""
        return tuple(entry for entry in self.entries if not entry.given)


class CompiledRule:
    """A rule with its expressions as closures."""

    def __init__(self, rule: Rule, ruleset: Ruleset, place: Place, indices: Indices) -> None:
        compiler = Compiler(rule, place, ruleset.parameters, indices)
        self.rule = rule
        self.joins = [compiler.join(join.selection) for join in rule.joins]
        self.condition = compiler.compile(rule.condition) if rule.condition is not None else None
        self.then = [CompiledDerivation(derivation, compiler) for derivation in rule.then]
        self.of = compiler.compile(rule.ladder.of) if rule.ladder is not None else None
        self.thresholds = [threshold for threshold, _ in rule.ladder.steps] if rule.ladder is not None else []
        steps = rule.ladder.steps if rule.ladder is not None else ()
        self.steps = [[CompiledDerivation(d, compiler) for d in derivations] for _, derivations in steps]
        self.voids = [
            (target, [slot for slot, _ in target.by], [compiler.compile(key) for _, key in target.by])
            for target in rule.voids
        ]
        self.lets = len(rule.lets)

    def in_force(self, instant: int) -> bool:
        """Whether the rule holds for triggers of an instant: [from, until)."""
        starts, ends = self.rule.starts, self.rule.ends
        return (starts is None or starts <= instant) and (ends is None or instant < ends)

    def frame(self, trigger: Fact, step: int, view: GraphView) -> Frame | None:
        """The frame in which a trigger is tried: nothing where the rule is not in force or a join finds no fact."""
        if not self.in_force(trigger.at):
            return None
        frame = Frame(trigger, trigger.at, step, view, self.lets)
        for join in self.joins:
            fact = join(frame)
            if fact is None:
                return None
            frame.joined.append(fact)
        return frame

    def crossing(self, frame: Frame) -> int:
        """The number, from 1, of the ladder's step that is newly reached; 0 where there is none."""
        if self.of is None:
            return 0
        before = self.of(frame.as_of_before())
        now = self.of(frame)
        if now is None:
            return 0
        reached = bisect_right(self.thresholds, now)
        had = 0 if before is None else bisect_right(self.thresholds, before)
        return reached if reached > had else 0


class CompiledDerivation:
    """An entry of `then` with its expressions as closures."""

    def __init__(self, derivation: Derivation, compiler: Compiler) -> None:
        self.derivation = derivation
        self.values: list[Evaluator | None] = [
            None if value is None else compiler.compile(value) for value in derivation.values
        ]
        self.at = compiler.compile(derivation.at) if derivation.at is not None else None

    def fact(self, frame: Frame, subject: str) -> Fact:
        """The fact that is derived: each field from its expression, what is missing from its default."""
        kind = self.derivation.kind
        values: list[Value] = []
        for declared, evaluator in zip(kind.fields, self.values, strict=True):
            value = evaluator(frame) if evaluator is not None else None
            if value is None:
                value = declared.default
                if value is None and declared.required:
                    message = f"the required field `{declared.name}` of `{kind.name}` is missing"
                    raise Fault("missing", message, self.derivation.span)
            values.append(value)
        at = frame.now
        if self.at is not None:
            instant = self.at(frame)
            if instant is None:
                raise Fault(
                    "missing",
                    f"the instant for which `{kind.name}` is scheduled is missing",
                    self.derivation.span,
                )
            if instant < frame.now:
                raise Fault("past", f"`{kind.name}` is scheduled for an instant before now", self.derivation.span)
            at = instant
        return Fact(kind, at, subject, tuple(values), 0, at)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that fires for a trigger, or a fault that trying it met: what an engine decides.

    `crossing` is the number of the ladder's step, from 1; 0 where the rule is no ladder.
    """

    rule: int
    trigger: Entry
    frame: Frame | None
    crossing: int
    fault: Fault | None = None


class Program(Protocol):
    """A ruleset made ready by an engine. It may be shared by threads; a run's state is not in it."""

    ruleset: Ruleset

    def view(self, subject: str) -> GraphView:
        """An empty graph view for a subject."""

    def run_subject(self, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
        """Run the facts of one subject; see the function of that name."""


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


def run_subject(program: Program, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
    """Run the facts of one subject as of an instant (semantics 2 to 7, 11).

    Parameters
    ----------
    program : Program
        The ruleset, made ready by an engine.
    subject : str
        The subject.
    facts : sequence of Fact
        The subject's input facts in the order of semantics 2, without duplicates (`facts.merge_duplicates`).
    as_of : int
        The instant, in microseconds since 1970 UTC: facts known or happening later are left out.

    Returns
    -------
    SubjectRun
        What stands; or, where the run was rejected, why.
    """
    return program.run_subject(subject, facts, as_of)


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
    return SubjectRun(subject, as_of, tuple(timeline.entries), pending, tuple(voided), later, len(standing))


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


def try_rule(rule: CompiledRule, number: int, entry: Entry, view: GraphView, step: int) -> Firing | None:
    """Try one rule for one trigger: joins, condition, ladder; lazily and from the left."""
    try:
        frame = rule.frame(entry.fact, step, view)
        if frame is None or (rule.condition is not None and not rule.condition(frame)):
            return None
        crossing = rule.crossing(frame)
    except Fault as fault:
        return Firing(number, entry, None, 0, fault)
    if rule.of is not None and not crossing:
        return None
    return Firing(number, entry, frame, crossing)
