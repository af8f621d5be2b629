"""The engine `compiled`: a ruleset as generated code, and a subject's run as it tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from strikeout.facts import Fact, Value
from strikeout.graphs import GraphView
from strikeout.machine.runs import Conclusions, bearing_kinds
from strikeout.machine.timeline import (
    SCHEDULED_STEPS,
    BaseProgram,
    Entry,
    Late,
    Pending,
    Reason,
    Rejection,
    SubjectRun,
    Voided,
)
from strikeout.model import Rule, Ruleset

from . import helpers, plain_module
from .kernel import Kernel, kernel
from .ongoing import OngoingRun
from .plan import Bounds, Plan, step_bounds

KNOWN_AT, KIND_INDEX = attrgetter("known_at"), attrgetter("kind.index")


class CompiledProgram:
    """A ruleset compiled to Python code, specialised to its rules.

    Parameters
    ----------
    ruleset : Ruleset
        The checked ruleset.

    Examples
    --------
    >>> import strikeout
    >>> program = CompiledProgram(strikeout.load("taobao-counterfeit").model)
    >>> print(program.source().splitlines()[0])
    \"\"\"taobao-counterfeit 2015-01-01: its rules as a function of one subject's facts.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.bounds: Bounds = step_bounds(ruleset)
        self._graph: BaseProgram | None = None
        self._plan, self._void_plan = Plan(), Plan()
        self._plan.number_derivations(ruleset.rules)
        self._source = plain_module.source(ruleset, self._plan, self._void_plan, self.bounds)
        space = self._loaded(self._source)
        self._run: Callable[..., Any] = space["run"]
        self._voids: Callable[..., Any] | None = space.get("voids")
        self._resumable: dict[str, Any] | None = None
        self._voiding = {kind.index for rule in ruleset.void_rules for kind in rule.triggers}
        self._reasoned = [(r.rule, r.threshold, r.derivation) for r in self._plan.derivations]
        self._bearing = bearing_kinds(ruleset)

    def _loaded(self, source: str) -> dict[str, Any]:
        """The functions of generated code."""
        space: dict[str, Any] = helpers.arithmetic(self.ruleset.zone, self.ruleset.calendar)
        exec(compile(source, f"<compiled {self.ruleset.name}>", "exec"), space)
        return space

    def source(self) -> str:
        """The generated code, as it runs in plain Python."""
        return self._source

    def begin(self, subject: str) -> OngoingRun:
        """A run of a subject that goes on as facts become known, and tells what changes (semantics 8)."""
        if self._resumable is None:  # Two threads may both make it, and the same.
            plan, void_plan = self._plan, self._void_plan
            self._resumable = self._loaded(
                plain_module.source(self.ruleset, plan, void_plan, self.bounds, resumable=True)
            )
        code = self._resumable
        return OngoingRun(self.ruleset, self._plan.derivations, subject, code["run"], code.get("voids"))

    def view(self, subject: str) -> GraphView:
        """An empty graph view for a subject."""
        if self._graph is None:
            self._graph = BaseProgram(self.ruleset)
        return self._graph.view(subject)

    def run_subject(self, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
        """Run the facts of one subject as of an instant (semantics 2 to 7, 11).

        Parameters
        ----------
        subject : str
            The subject.
        facts : sequence of Fact
            The subject's input facts in the order of semantics 2, without duplicates.
        as_of : int
            The instant, in microseconds since 1970 UTC.

        Returns
        -------
        SubjectRun
            What stands; or, where the run was rejected, why.
        """
        done = self._done(subject, facts, as_of)
        if isinstance(done, Rejected):
            return SubjectRun(subject, as_of, (), (), (), done.later, 0, done.rejection)
        used, rows, waiting = done.used, done.rows, done.waiting
        told = Told(self, subject, used, rows, done.again, waiting)
        entries, pending = Late(len(used) + len(rows), told.entries), Late(len(waiting), told.pending)
        return SubjectRun(subject, as_of, entries, pending, done.voided, done.later, len(used), None, len(rows))

    def conclude(self, subject: str, facts: Sequence[Fact], as_of: int) -> Conclusions:
        """What the run of one subject comes to, without why; as `run_subject` otherwise (semantics 2 to 7, 9, 11).

        Parameters
        ----------
        subject : str
            The subject.
        facts : sequence of Fact
            The subject's input facts in the order of semantics 2, without duplicates.
        as_of : int
            The instant, in microseconds since 1970 UTC.
        """
        done = self._done(subject, facts, as_of)
        if isinstance(done, Rejected):
            return Conclusions((), (), (), 0, 0, done.later, done.rejection)
        used, kinds = done.used, self.ruleset.kinds
        bears, some_given = self._bearing
        derived: list[tuple[Fact, Rule]] = []
        bearing: list[Fact] = []
        at = before = 0
        for number, row in enumerate(done.rows):
            given = row[0] - number  # The facts that stand at earlier places and were not derived.
            if given > before:
                if some_given:
                    bearing += [fact for fact in used[before:given] if fact.kind.index in bears]
                at, before = used[given - 1].at, given
            if len(row) == 4:
                rule, _, derivation = self._reasoned[row[1]]
                fact = Fact(derivation.kind, at, subject, row[3], 0, at)
            else:
                at, _, kind, values, reason, _ = row[1]
                rule = self._reasoned[reason][0]
                fact = Fact(kinds[kind], at, subject, values, 0, at)
            derived.append((fact, rule))
            if fact.kind.index in bears:
                bearing.append(fact)
        if some_given:
            bearing += [fact for fact in used[before:] if fact.kind.index in bears]
        pending = [
            (Fact(kinds[kind], due, subject, values, 0, due), self._reasoned[number][0])
            for due, _, kind, values, number, _ in sorted(done.waiting, key=itemgetter(0, 1))
        ]
        return Conclusions(derived, pending, bearing, len(used), len(done.voided), done.later)

    def _done(self, subject: str, facts: Sequence[Fact], as_of: int) -> Done | Rejected:
        """Run the facts of one subject as of an instant."""
        used = tuple(facts)
        later: tuple[Fact, ...] = ()
        if used and (used[-1].at > as_of or max(map(KNOWN_AT, used)) > as_of):
            used = tuple([fact for fact in facts if fact.at <= as_of and fact.known_at <= as_of])
            later = tuple([fact for fact in facts if fact.at > as_of or fact.known_at > as_of])
        voided: tuple[Voided, ...] = ()
        if self._voids is not None:
            found = self._decide_voids(subject, used)
            if isinstance(found, Rejection):
                return Rejected(later, found)
            if found:
                voided = tuple([found[place] for place in sorted(found)])
                used = tuple([fact for place, fact in enumerate(used) if place not in found])
        rows: list[Any] = []
        again: list[tuple[int, int, int]] = []
        waiting: list[Any] = []
        fault = self._run(subject, used, as_of, SCHEDULED_STEPS * (1 + len(used)), rows, again, waiting)
        if fault is not None:
            return Rejected(later, self._rejection(subject, used, rows, fault))
        return Done(used, later, voided, rows, again, waiting)

    def kernel(self) -> tuple[Kernel, Plan, Plan]:
        """The module of the dialect of arrays, and where its faults lie: of the rules, and of the void rules."""
        plan, void_plan = Plan(), Plan()
        plan.number_derivations(self.ruleset.rules)
        return kernel(self.ruleset, plan, void_plan, self.bounds), plan, void_plan

    def _decide_voids(self, subject: str, facts: Sequence[Fact]) -> dict[int, Voided] | Rejection:
        """Which input facts are voided, by their place (semantics 6)."""
        voiding = self._voiding
        if self._voids is None or voiding.isdisjoint(map(KIND_INDEX, facts)):
            return {}
        firings: list[tuple[int, int, int, tuple[Value, ...]]] = []
        rules = self.ruleset.void_rules
        fault = self._voids(subject, facts, firings)
        if fault is not None:
            number, rule, place = fault
            return self._rejected(
                subject, self._void_plan, number, rules[rule], facts[place], facts[place].from_then_on
            )
        groups: dict[tuple[int, tuple[int, ...]], dict[tuple[Value, ...], list[int]]] = {}
        taken: dict[tuple[int, tuple[int, ...], tuple[Value, ...]], int] = {}
        voided: dict[int, Voided] = {}
        for place, rule, number, key in firings:
            target = rules[rule].voids[number]
            slots = tuple([slot for slot, _ in target.by])
            name = (target.kind.index, slots)
            if name not in groups:
                groups[name] = _grouped(facts, target.kind.index, slots)
            places = groups[name].get(key, [])
            start, fact = taken.get((*name, key), 0), facts[place]
            while start < len(places) and facts[places[start]].at <= fact.at:
                voided.setdefault(places[start], Voided(facts[places[start]], fact, rules[rule]))
                start += 1
            taken[(*name, key)] = start
        return voided

    def entries(
        self, subject: str, facts: Sequence[Fact], rows: Sequence[Any], again: Sequence[Any], waiting: Sequence[Any]
    ) -> tuple[list[Entry], tuple[Pending, ...]]:
        """The facts that stand, with their reasons, and what is pending."""
        reasoned = self._reasoned
        entries: list[Entry] = []
        planned: dict[int, list[Reason]] = {}
        kinds = self.ruleset.kinds
        at = step = given = 0
        for row in rows:
            place = row[0]
            while len(entries) < place:
                fact = facts[given]
                given += 1
                step += 1
                at = fact.at
                entries.append(Entry(fact, step, len(entries), True, False, []))
            if len(row) == 4:
                _, number, trigger, values = row
                rule, threshold, derivation = reasoned[number]
                reason = Reason(rule, entries[trigger], threshold, derivation)
                fact = Fact(derivation.kind, at, subject, values, 0, at)
                entries.append(Entry(fact, step, place, False, False, [reason]))
                continue
            at, scheduled, kind, values, number, trigger = row[1]
            step += 1
            rule, threshold, derivation = reasoned[number]
            reasons = planned[scheduled] = [Reason(rule, entries[trigger], threshold, derivation)]
            entries.append(Entry(Fact(kinds[kind], at, subject, values, 0, at), step, place, False, True, reasons))
        for fact in facts[given:]:
            step += 1
            entries.append(Entry(fact, step, len(entries), True, False, []))
        pending: list[Pending] = []
        for item in sorted(waiting, key=itemgetter(0, 1)):
            due, scheduled, kind, values, number, trigger = item
            rule, threshold, derivation = reasoned[number]
            planned[scheduled] = [Reason(rule, entries[trigger], threshold, derivation)]
        for place, number, trigger in again:
            rule, threshold, derivation = reasoned[number]
            reason = Reason(rule, entries[trigger], threshold, derivation)
            (entries[place].reasons if place >= 0 else planned[-place]).append(reason)
        for due, scheduled, kind, values, _, _ in sorted(waiting, key=itemgetter(0, 1)):
            pending.append(Pending(Fact(kinds[kind], due, subject, values, 0, due), tuple(planned[scheduled])))
        return entries, tuple(pending)

    def _rejection(self, subject: str, facts: Sequence[Fact], rows: Sequence[Any], fault: Any) -> Rejection:
        """Why a run was rejected."""
        number, rule, place = fault
        if number:
            fact = self._fact_at(subject, facts, rows, place)
            return self._rejected(subject, self._plan, number, self.ruleset.rules[rule], fact, fact.at)
        due, _, kind, values, derived, _ = place
        reasoned = self._plan.derivations[derived]
        message = f"more than {SCHEDULED_STEPS * (1 + len(facts)):,} scheduled steps"
        fact = Fact(self.ruleset.kinds[kind], due, subject, values, 0, due)
        return Rejection("steps", message, subject, reasoned.rule, fact, reasoned.derivation.span, due)

    @staticmethod
    def _rejected(subject: str, plan: Plan, number: int, rule: Rule, fact: Fact, at: int) -> Rejection:
        site = plan.sites[number - 1]
        return Rejection(site.code, site.message, subject, rule, fact, site.span, at)

    def _fact_at(self, subject: str, facts: Sequence[Fact], rows: Sequence[Any], place: int) -> Fact:
        """The fact at a place of a run."""
        entries, _ = self.entries(subject, facts, [row for row in rows if row[0] <= place], [], [])
        return entries[place].fact


@dataclass(slots=True)
class Done:
    """What generated code told of a subject's facts: those that stand, those that do not, and what follows of them."""

    used: tuple[Fact, ...]
    later: tuple[Fact, ...]
    voided: tuple[Voided, ...]
    rows: list[Any]
    again: list[tuple[int, int, int]]
    waiting: list[Any]


@dataclass(slots=True)
class Rejected:
    """That it was rejected, and the facts that were not looked at."""

    later: tuple[Fact, ...]
    rejection: Rejection


class Told:
    """What generated code told of a subject; facts and reasons are made of it when first asked for, and kept."""

    __slots__ = ("_made", "_make")

    def __init__(self, program: CompiledProgram, *told: Any) -> None:
        self._make: Callable[[], tuple[Sequence[Entry], Sequence[Pending]]] = partial(program.entries, *told)
        self._made: dict[str, tuple[Sequence[Entry], Sequence[Pending]]] = {}

    def both(self) -> tuple[Sequence[Entry], Sequence[Pending]]:
        """The facts that stand, and what is pending; for every thread the same."""
        made = self._made.get("")
        if made is None:
            made = self._made.setdefault("", self._make())
            self._make = partial(self._made.__getitem__, "")  # What was told is needed no more.
        return made

    def entries(self) -> Sequence[Entry]:
        """The facts that stand."""
        return self.both()[0]

    def pending(self) -> Sequence[Pending]:
        """What is pending."""
        return self.both()[1]


def _grouped(facts: Sequence[Fact], kind: int, slots: Sequence[int]) -> dict[tuple[Value, ...], list[int]]:
    """The places of a kind's facts by the values in some slots; those with a missing one are left out."""
    groups: dict[tuple[Value, ...], list[int]] = {}
    for place, fact in enumerate(facts):
        if fact.kind.index == kind:
            key = tuple([fact.values[slot] for slot in slots])
            if None not in key:
                groups.setdefault(key, []).append(place)
    return groups
