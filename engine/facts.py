"""Facts: their types, kinds and fields, the order in which they are taken, and when two are one (semantics 2)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from .ground.problems import Span

Value = str | int | bool | None
"""A field's value: ids, texts and enum members as text, times and durations as microseconds, `None` where missing."""

Titles = tuple[tuple[str, str], ...]
"""Titles by language: pairs of `zh` or `en` and the text."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of the language: its name, and for an enum its members in declared order."""

    name: str
    members: tuple[str, ...] = ()

    @property
    def is_enum(self) -> bool:
        """Whether this is an enum's type."""
        return bool(self.members)

    def __str__(self) -> str:
        return self.name


ID, TEXT, INTEGER, BOOLEAN, TIME, DURATION = (
    Type(name) for name in ("id", "text", "integer", "boolean", "time", "duration")
)
FIELD_TYPES = {t.name: t for t in (ID, TEXT, INTEGER, BOOLEAN, TIME, DURATION)}
WORKDAYS, DATES, MONTHS = (Type(name) for name in ("workdays", "dates", "months"))
"""The types of periods; they occur in expressions and parameters, never in a fact."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind: required, optional, or with a default that fills in what is missing, given or derived."""

    name: str
    type: Type
    required: bool
    default: Value = None
    title: Titles = ()

    @property
    def known(self) -> bool:
        """Whether a fact always has a value here."""
        return self.required or self.default is not None


@dataclass(frozen=True, slots=True)
class Ends:
    """That facts of a kind end those of another: its place in the order of kinds, and pairs of equal slots."""

    kind: int
    slots: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A kind of fact: its place in the order of kinds, its fields in declared order, and what it does to the status.

    `given` says whether it may come from outside. `effect` is `lasting`, `interval` or nothing (semantics 9);
    `severity` orders the status.
    """

    name: str
    index: int
    fields: tuple[Field, ...]
    given: bool
    effect: str = ""
    severity: int = 0
    ends: Ends | None = None
    title: Titles = ()
    span: Span | None = None
    slots: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.slots.update({f.name: slot for slot, f in enumerate(self.fields)})

    def field(self, name: str) -> Field | None:
        """The field of that name, if the kind declares it."""
        slot = self.slots.get(name)
        return None if slot is None else self.fields[slot]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: kind, instant, subject and a value for each field of the kind, `None` where missing.

    `known_at` is when it became known (its `at` unless given); `seq` orders facts of one instant.
    """

    kind: Kind
    at: int
    subject: str
    values: tuple[Value, ...]
    seq: int = 0
    known_at: int = 0

    def get(self, name: str) -> Value:
        """The value of the field of that name; missing where the kind has no such field."""
        slot = self.kind.slots.get(name)
        return None if slot is None else self.values[slot]

    @property
    def from_then_on(self) -> int:
        """The first instant as of which a run uses this fact (semantics 3)."""
        return max(self.at, self.known_at)


_AT = attrgetter("at")


def value_key(type_: Type, value: Value) -> tuple[int, str | int]:
    """A key that orders the values of one type as semantics 2 does: missing last, enums as declared."""
    if value is None:
        return (1, 0)
    if type_.members:
        return (0, type_.members.index(str(value)))
    return (0, value)


def order_key(fact: Fact) -> tuple[object, ...]:
    """The key by which input facts of one subject are taken: `at`, `seq`, kind, field values (semantics 2)."""
    return (
        fact.at,
        fact.seq,
        fact.kind.index,
        tuple(value_key(f.type, v) for f, v in zip(fact.kind.fields, fact.values, strict=True)),
    )


def merge_duplicates(facts: Iterable[Fact]) -> list[Fact]:
    """The set of the given facts of one subject, in order; of equal ones the earliest `known_at` stays (semantics 2).

    Parameters
    ----------
    facts : iterable of Fact
        Input facts of one subject, in any order.

    Returns
    -------
    list of Fact
        The facts without duplicates, in the order in which a run takes them.
    """
    kept: list[Fact] = []
    for _, group in groupby(sorted(facts, key=_AT), _AT):
        together = list(group)
        kept += together if len(together) == 1 else _distinct(together)
    return kept


def _distinct(facts: Iterable[Fact]) -> list[Fact]:
    """Facts of one instant, without duplicates and in order."""
    kept: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        key = (fact.kind.index, fact.seq, fact.values)
        other = kept.get(key)
        if other is None or fact.known_at < other.known_at:
            kept[key] = fact
    return sorted(kept.values(), key=order_key)


def place_of(facts: Sequence[Fact], fact: Fact) -> int:
    """The place of a fact in the order of semantics 2: that of its equal, or where it is to be put."""
    if not facts or facts[-1].at < fact.at:
        return len(facts)
    low = bisect_left(facts, fact.at, key=_AT)
    high = bisect_right(facts, fact.at, low, key=_AT)
    return bisect_left(facts, order_key(fact), low, high, key=order_key) if low < high else low


def has(facts: Sequence[Fact], place: int, fact: Fact) -> bool:
    """Whether a fact stands at its place already."""
    return place < len(facts) and facts[place].at == fact.at and order_key(facts[place]) == order_key(fact)


def having(facts: Sequence[Fact], *added: Fact) -> list[Fact]:
    """Facts and some more, as `merge_duplicates` gives them.

    Parameters
    ----------
    facts : sequence of Fact
        Input facts of one subject, in order and without duplicates; only the places of those added are looked for.
    *added : Fact
        More of them, in any order.
    """
    found = list(facts)
    for fact in added:
        place = place_of(found, fact)
        if not has(found, place, fact):
            found.insert(place, fact)
        elif fact.known_at < found[place].known_at:
            found[place] = fact
    return found
