"""Cases: facts given to a ruleset, and what is expected of the run (contract, "Case files").

A case is checked against its ruleset: kinds, fields and values are those of the model, and every entry keeps its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..facts import Fact, Kind, Titles, Value
from ..ground.problems import Source, Span
from ..model import Ruleset

SUFFIX = ".cases.yaml"
"""How the name of a case file ends."""

NO_STATUS = "good-standing"
"""The status of a subject of which no kind with an effect is active (semantics 9)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A fact that a case expects, or expects not to find: its kind, and of the rest what the case says.

    `at` is in microseconds since 1970 UTC; an `at` or `subject` of None, and slots not among `values`, are free.
    """

    kind: Kind
    at: int | None
    subject: str | None
    values: tuple[tuple[int, Value], ...]
    span: Span

    def matches(self, fact: Fact) -> bool:
        """Whether a fact is one that is meant."""
        return fact.kind is self.kind and not self.differences(fact)

    def differences(self, fact: Fact) -> list[str]:
        """Of a fact of the same kind, what is not as the case says: `at`, fields by name, the subject as ``""``."""
        found = [] if self.subject in (None, fact.subject) else [""]
        found += [] if self.at in (None, fact.at) else ["at"]
        return found + [self.kind.fields[slot].name for slot, value in self.values if fact.values[slot] != value]


@dataclass(frozen=True, slots=True)
class Figure:
    """How many facts of a kind are derived or, where a slot is given, the sum of that field over them."""

    kind: Kind
    slot: int | None
    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Standing:
    """The status that a subject is expected to have."""

    subject: str
    status: str
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects of one run: one block of `expect`.

    `as_of` is None where the run is as of the facts' latest instant. Every entry keeps the place where it was written.
    """

    as_of: int | None
    facts: tuple[Pattern, ...]
    absent: tuple[Pattern, ...]
    figures: tuple[Figure, ...]
    standings: tuple[Standing, ...]
    only: tuple[tuple[Kind, Span], ...]
    span: Span

    @property
    def is_empty(self) -> bool:
        """Whether it expects nothing, so that it would hold of any ruleset."""
        return not (self.facts or self.absent or self.figures or self.standings or self.only)


@dataclass(frozen=True, slots=True)
class Case:
    """One case: facts, the ruleset with the case's parameters, and what is expected."""

    name: str
    title: Titles
    note: Titles
    ruleset: Ruleset
    facts: tuple[Fact, ...]
    expectations: tuple[Expectation, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A checked case file; cases without parameters of their own share `ruleset`."""

    source: Source
    title: Titles
    ruleset: Ruleset
    cases: tuple[Case, ...]
