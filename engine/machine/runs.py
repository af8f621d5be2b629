"""What a run is: the facts that stand and their reasons, what is pending, voided or wrong, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, overload

from ..facts import Fact
from ..ground.problems import Span

if TYPE_CHECKING:
    from strikeout.graphs import GraphView

    from ..model import Derivation, Rule, Ruleset

Item = TypeVar("Item")

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


class Late(Sequence[Item]):
    """A sequence of known length whose items are made when the first is asked for."""

    __slots__ = ("_length", "_make")

    def __init__(self, length: int, make: Callable[[], Sequence[Item]]) -> None:
        self._length = length
        self._make = make

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | Sequence[Item]:
        return self._make()[place]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._make())

    def __repr__(self) -> str:
        return repr(self._make())


@dataclass(frozen=True, slots=True)
class SubjectRun:
    """The run of one subject as of an instant: every fact in order, what is pending, voided, later, or why not.

    Attributes
    ----------
    entries : sequence of Entry
        The facts that stand, given and derived, in the order of semantics 5.
    pending : sequence of Pending
        What is scheduled after `as_of`, by instant, then in the order in which it was scheduled.
    voided, later : tuple
        Input facts that are voided, and those known or happening only after `as_of`.
    rejection : Rejection or None
        The error that rejected the run; then it concludes nothing.
    used, derived : int
        How many input facts stand, and how many derived ones.
    """

    subject: str
    as_of: int
    entries: Sequence[Entry]
    pending: Sequence[Pending]
    voided: tuple[Voided, ...]
    later: tuple[Fact, ...]
    used: int
    rejection: Rejection | None = None
    derived: int = 0

    @property
    def conclusions(self) -> tuple[Entry, ...]:
        """The derived facts, in order."""
        return tuple(entry for entry in self.entries if not entry.given)


@dataclass(frozen=True, slots=True)
class Conclusions:
    """What a run comes to, without why: what is asked of it most, at a fraction of the cost of a `SubjectRun`.

    Attributes
    ----------
    derived : sequence of (Fact, Rule)
        The derived facts, in order, each with the rule that derived it first.
    pending : sequence of (Fact, Rule)
        What is scheduled after the run's instant, in order.
    bearing : sequence of Fact
        The facts that bear on the status, given and derived, in order (semantics 9).
    used, voided : int
        How many input facts stand, and how many are voided.
    later : sequence of Fact
        The input facts known or happening only after the run's instant.
    rejection : Rejection or None
        The error that rejected the run; then it concludes nothing.
    unchanged : int
        How many of the first derived facts are the very ones of the time before, where a run goes on.
    """

    derived: Sequence[tuple[Fact, Rule]]
    pending: Sequence[tuple[Fact, Rule]]
    bearing: Sequence[Fact]
    used: int
    voided: int
    later: Sequence[Fact]
    rejection: Rejection | None = None
    unchanged: int = 0


def bearing_kinds(ruleset: Ruleset) -> tuple[frozenset[int], bool]:
    """The kinds that bear on the status: with an effect, or ending one; and whether some of them may be given."""
    bearing = [kind for kind in ruleset.kinds if kind.effect or kind.ends is not None]
    return frozenset(kind.index for kind in bearing), any(kind.given for kind in bearing)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A change of a subject's conclusions: when it became known, `+` or `-`, and the conclusion (semantics 8)."""

    at: int
    sign: str
    entry: Entry


class Program(Protocol):
    """A ruleset made ready by an engine. It may be shared by threads; a run's state is not in it."""

    ruleset: Ruleset

    def view(self, subject: str) -> GraphView:
        """An empty graph view for a subject."""

    def run_subject(self, subject: str, facts: Sequence[Fact], as_of: int) -> SubjectRun:
        """Run the facts of one subject; see the function of that name."""


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
