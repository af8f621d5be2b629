"""What an explanation holds: facts, rules that were tried, conditions with their values, facts counted and left out.

A proof is a graph without circles: each derived fact is one node, however many conclusions rest on it. It is computed
from a run's facts alone, so that it is the same on every engine; and from it alone the conclusion can be drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..facts import Fact, Kind, Titles, Type
from ..ground.problems import Span
from ..model import Constant, Derivation, Rule, Ruleset


@dataclass(frozen=True, slots=True)
class Stand:
    """A fact as it stands in a run: its place among all facts of the subject, its step, and whether it was given.

    A `scheduled` fact fell due in a step of its own.
    """

    place: int
    fact: Fact
    step: int
    given: bool
    scheduled: bool


@dataclass(frozen=True, slots=True)
class Term:
    """An expression and what it came to: its text as written, its value, and the parts that were evaluated for it.

    `form` is `literal`, `now`, `subject`, `field`, `joined`, `parameter`, `let`, `operation`, `logic`, `choice` or
    `aggregate`; `name` is that of the operator, function, field, parameter or `let`. A `let` has its parts in
    `Trial.lets`. Operands that `and`, `or` and conditionals did not need are not among the parts.
    """

    form: str
    text: str
    type: Type
    value: Constant | None
    span: Span
    name: str = ""
    parts: tuple[Term, ...] = ()
    tally: Tally | None = None
    title: Titles = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which a fact was not counted.

    Attributes
    ----------
    code : str
        `key`: a field differs (`field`, `found`, `wanted`, of `type`) · `where`: the condition in `text` fails ·
        `window`: it lies `gap` microseconds before the window begins, at `instant` · `since`: it stands before `fact`,
        since which is counted · `period`: there is no window, its length is missing · `same-step`: the rule sees
        earlier steps only · `voided`: by `fact`, by the rule in `text` · `unknown`: known only after the run's instant.
    """

    code: str
    field: str = ""
    type: Type | None = None
    found: Constant | None = None
    wanted: Constant | None = None
    text: str = ""
    gap: int = 0
    instant: int = 0
    fact: Fact | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A fact of the kind that an aggregate or a join asks for, and every reason for which it was not counted."""

    fact: Fact
    stand: Stand | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class NotDerived:
    """A fact that could have brought one of the kind asked for, and did not: voided, or a rule did not fire."""

    kind: Kind
    fact: Fact
    stand: Stand | None
    rule: Rule
    trial: Trial | None = None
    voided: Cause | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a selection found.

    Attributes
    ----------
    kind : Kind
        The kind of fact asked for.
    key : tuple
        For each field in `by`, its name, and the term that it had to equal.
    where : str
        The condition as written; nothing where there is none.
    slot : int or None
        The field that is aggregated; -1 is `at`.
    begins, inclusive
        Where the window begins, in microseconds since 1970 UTC, and whether what lies there is in it; None: no window.
    now : int
        The instant of the step.
    length : Term or None
        The length of a window `within`.
    window : str
        The window as written.
    since : Stand or None
        The fact since whose step is counted.
    earlier_only : bool
        Whether only facts of earlier steps were seen (semantics 5).
    counted : tuple of Stand
        The facts found, in order.
    left_out, left_out_total
        The nearest of the facts of that kind that were not counted, and how many there were in all.
    not_derived : tuple of NotDerived
        Of a derivable kind: what did not bring one, though it would have been counted; the nearest few.
    clear_from : int or None
        Of a window of a duration or dates: the first instant at which none of the facts found would be in it.
    """

    kind: Kind
    key: tuple[tuple[str, Term], ...]
    where: str
    slot: int | None
    begins: int | None
    inclusive: bool
    now: int
    length: Term | None
    window: str
    since: Stand | None
    earlier_only: bool
    counted: tuple[Stand, ...]
    left_out: tuple[LeftOut, ...] = ()
    left_out_total: int = 0
    not_derived: tuple[NotDerived, ...] = ()
    clear_from: int | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A fact joined by `with` under an alias, and what was found; without a fact the rule does not fire."""

    alias: str
    text: str
    stand: Stand | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Climb:
    """A ladder: what it measures, before the step and now, and its thresholds."""

    before: Term
    now: Term
    thresholds: tuple[int, ...]
    crossed: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """A field of the fact that followed, with the expression that gave it; `carried` over by its name, or written."""

    field: str
    term: Term
    carried: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule tried for a trigger: how far it got, and each part with its values.

    Attributes
    ----------
    stage : str
        `fired`, or where it stopped: `over` (after the terminal fact), `not-in-force`, `join`, `condition`, `ladder`
        (no threshold newly reached), `other-step` (a threshold with other consequences), `once` (the ladder fired
        for another fact of this step), `fault`.
    joined : tuple of Joined
        The joins, in order; the last has no fact where the trial stopped there.
    conditions : tuple of Term
        The parts of `if` that `and` joins, as far as they were evaluated; the last fails where it stopped there.
    lets : tuple of str and Term
        Each `let` that was used, with what it came to; `lets_before` those of a ladder's `before`.
    climb : Climb or None
        The ladder.
    derivation : Derivation or None
        What followed, with the fields in `gives` and, of a scheduled fact, its instant in `scheduled`.
    message : str
        What went wrong, where the trial ended with a fault.
    """

    rule: Rule
    trigger: Stand
    stage: str
    joined: tuple[Joined, ...] = ()
    conditions: tuple[Term, ...] = ()
    lets: tuple[tuple[str, Term], ...] = ()
    lets_before: tuple[tuple[str, Term], ...] = ()
    climb: Climb | None = None
    derivation: Derivation | None = None
    gives: tuple[Given, ...] = ()
    scheduled: Term | None = None
    message: str = ""

    def terms(self) -> Iterator[Term]:
        """Every term of the trial, outermost first."""
        yield from self.conditions
        if self.climb is not None:
            yield self.climb.now
            yield self.climb.before
        yield from (term for _, term in (*self.lets, *self.lets_before))
        yield from (given.term for given in self.gives)
        if self.scheduled is not None:
            yield self.scheduled

    def tallies(self) -> Iterator[Tally]:
        """Everything that was counted or joined."""
        yield from (join.tally for join in self.joined)
        for term in self.terms():
            yield from (inner.tally for inner in inside(term) if inner.tally is not None)

    def named(self) -> Iterator[Stand]:
        """Every fact that the trial names: its premises, and what `first` and `last` passed over."""
        yield from (stand for _, stand in self.premises())
        for term in self.terms():
            for inner in inside(term):
                if inner.tally is not None:
                    yield from inner.tally.counted

    def premises(self) -> Iterator[tuple[str, Stand]]:
        """The facts that the trial rests on: `trigger`, `joined`, `counted`, or `since`."""
        yield "trigger", self.trigger
        for join in self.joined:
            if join.stand is not None:
                yield "joined", join.stand
        for term in self.terms():
            for inner in inside(term):
                if inner.tally is not None:
                    yield from (("counted", stand) for stand in decisive(inner))
                    if inner.tally.since is not None:
                        yield "since", inner.tally.since


def decisive(term: Term) -> tuple[Stand, ...]:
    """The facts that an aggregate's value rests on: all that were counted, of `first` and `last` one."""
    counted = term.tally.counted if term.tally is not None else ()
    if term.name == "first":
        return counted[:1]
    return counted[-1:] if term.name == "last" else counted


def inside(term: Term) -> Iterator[Term]:
    """A term and all in it, in the order of the text; what windows and keys came to is among it."""
    yield term
    for part in term.parts:
        yield from inside(part)
    if term.tally is not None:
        for _, key in term.tally.key:
            yield from inside(key)
        if term.tally.length is not None:
            yield from inside(term.tally.length)


@dataclass(frozen=True, slots=True)
class Node:
    """A fact of a proof, with each rule that gave it in rule order.

    A given fact has no reasons; a derived one without reasons lies beyond the size to which the proof was drawn.
    """

    stand: Stand
    reasons: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class ProofRecord:
    """Why one or several facts of a subject were concluded.

    Attributes
    ----------
    ruleset : strikeout.model.Ruleset
        The ruleset, for its name, version, time zone and titles.
    subject : str
        The subject.
    as_of : int
        The instant of the run, in microseconds since 1970 UTC.
    roots : tuple of Stand
        What is explained.
    nodes : tuple of Node
        Every fact that the roots rest on, each once, nearest to the roots first.
    unexplained : int
        How many derived facts among the premises have no node, as the proof was drawn to a limited size.
    status : tuple of str, str or None
        The subject's status where that was asked for, and since when.
    """

    ruleset: Ruleset
    subject: str
    as_of: int
    roots: tuple[Stand, ...]
    nodes: tuple[Node, ...]
    unexplained: int = 0
    status: tuple[str, int | None] | None = None

    def node(self, place: int) -> Node | None:
        """The node of the fact that stands at a place of the run."""
        return next((node for node in self.nodes if node.stand.place == place), None)


@dataclass(frozen=True, slots=True)
class Hint:
    """What more would let a rule fire that counts: found by running it.

    Attributes
    ----------
    like : Fact
        The given fact that was copied, under a new id of its own.
    anyone : bool
        Whether the copies have new ids in its other fields too.
    facts : tuple of Fact
        The copies, each at the earliest instant found: together they let the rule fire, and fewer do not.
    brings : Fact
        What the rule then gives.
    """

    like: Fact
    anyone: bool
    facts: tuple[Fact, ...]
    brings: Fact


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """How far one rule that could derive the kind got: its best trial, and how many triggers it was tried for.

    `absent` says, where there was no trigger, why there is none of a kind that is derived; `hint`, where the rule
    counts and has not enough, what more would let it fire.
    """

    rule: Rule
    trial: Trial | None
    triggers: int
    absent: tuple[WhyNotRecord, ...] = ()
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class WhyNotRecord:
    """Why a kind was not derived for a subject.

    Attributes
    ----------
    ruleset, subject, as_of
        As of `ProofRecord`.
    kind : Kind
        The kind asked about.
    at : tuple of int and int, or None
        The instants asked about: from the first up to, not including, the second.
    derived : tuple of Stand
        The facts of the kind that stand after all; then nothing is missing.
    pending : tuple of Fact
        Those scheduled for after the run's instant.
    over : Stand or None
        The fact of the terminal kind, since whose step no rule fires.
    rules : tuple of RuleAnswer
        The rules that could derive the kind, in rule order; none, where it can only be given.
    voided : tuple of LeftOut
        Input facts that could have led to the kind and no longer hold.
    """

    ruleset: Ruleset
    subject: str
    as_of: int
    kind: Kind
    at: tuple[int, int] | None
    derived: tuple[Stand, ...]
    pending: tuple[Fact, ...]
    over: Stand | None
    rules: tuple[RuleAnswer, ...]
    voided: tuple[LeftOut, ...] = ()


def shortfall(term: Term) -> int | None:
    """How far a failing comparison of numbers, times or durations is from holding; None where that says nothing.

    Of `count(strike) >= 3` with two strikes it is 1.
    """
    if term.form != "operation" or len(term.parts) != 2:
        return None
    left, right = (part.value for part in term.parts)
    if not isinstance(left, int) or not isinstance(right, int) or isinstance(left, bool):
        return None
    match term.name:
        case ">=" | "==" if left < right:
            return right - left
        case ">" if left <= right:
            return right - left + 1
        case "<=" | "==" if left > right:
            return left - right
        case "<" if left >= right:
            return left - right + 1
        case _:
            return None
