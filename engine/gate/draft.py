"""Drafts: the parts of a ruleset or vocabulary as written, names still names."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..facts import Titles
from ..ground.problems import Problem, Problems, Source, Span
from .expressions import Written
from .nodes import Scalar

EVERY = "*"
"""In `Draft.broken`, instead of a name: all of that sort."""


@dataclass(frozen=True, slots=True)
class DraftField:
    """A field as written: its name and the text of its type."""

    name: str
    text: Scalar
    span: Span
    title: Titles = ()


@dataclass(frozen=True, slots=True)
class DraftKind:
    """A kind as written."""

    name: str
    fields: tuple[DraftField, ...]
    given: bool
    effect: Scalar | None
    severity: Scalar | None
    ends: Written | None
    title: Titles
    span: Span


@dataclass(frozen=True, slots=True)
class DraftEnum:
    """An enum as written."""

    name: str
    members: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DraftParameter:
    """A parameter as written: one literal, or literals by date."""

    name: str
    value: Scalar | None
    dated: tuple[tuple[Scalar, Scalar], ...]
    title: Titles
    span: Span


@dataclass(frozen=True, slots=True)
class DraftDerivation:
    """One entry of `then` as written; a field whose expression has a problem has None.

    With `partial` there may be fields that could not be read.
    """

    kind: Scalar
    fields: tuple[tuple[Scalar, Written | None], ...]
    at: Written | None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class DraftLet:
    """A `let` as written: branches of condition and value; none where one of them has a problem."""

    name: str
    branches: tuple[tuple[Written | None, Written], ...]
    single: bool
    span: Span


@dataclass(frozen=True, slots=True)
class DraftLadder:
    """A ladder as written."""

    of: Written | None
    steps: tuple[tuple[Scalar, tuple[DraftDerivation, ...]], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DraftRule:
    """A rule as written. `broken` are the keys below which a problem has been recorded.

    An alias of `with` whose selection has a problem has None.
    """

    name: str
    span: Span
    when: Written | None
    joins: tuple[tuple[Scalar, Written | None], ...]
    lets: tuple[DraftLet, ...]
    condition: Written | None
    then: tuple[DraftDerivation, ...]
    ladder: DraftLadder | None
    voids: tuple[Written, ...]
    starts: Scalar | None
    ends: Scalar | None
    title: Titles
    cite: str
    note: Titles
    broken: frozenset[str] = frozenset()


@dataclass(slots=True)
class Draft:
    """A ruleset or vocabulary as written.

    `settings` holds its plain keys (`subject`, `timezone` …) as scalars. `broken` names what has a problem of its own,
    as pairs such as `("kind", "upheld")`, so that nothing is said of those who use it. `unusable` says that the text is
    so wrong that nothing more should be said at all.
    """

    source: Source
    span: Span
    settings: dict[str, Scalar] = field(default_factory=dict)
    title: Titles = ()
    note: Titles = ()
    includes: tuple[Scalar, ...] = ()
    enums: dict[str, DraftEnum] = field(default_factory=dict)
    kinds: dict[str, DraftKind] = field(default_factory=dict)
    parameters: dict[str, DraftParameter] = field(default_factory=dict)
    rules: dict[str, DraftRule] = field(default_factory=dict)
    removed: dict[str, Span] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=Problems)
    sources: list[Source] = field(default_factory=list)
    vocabulary: Source | None = None
    broken: set[tuple[str, str]] = field(default_factory=set)
    unusable: bool = False
