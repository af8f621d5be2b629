"""What runs over many subjects come to: counts by rule, kind, status and month, and in what two rulesets part.

Tallies of parts are added up; a tally is the same however subjects were divided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..ground.values import format_date
from ..model import Ruleset
from ..speech.outcome import GOOD_STANDING, Summary

REJECTED = "rejected"
"""In place of a status: the subject's run was rejected (semantics 11)."""

SIDES = {0: "against", 1: "ruleset"}
"""What the two runs of a comparison are called, in their order."""

EXAMPLES = 5
"""How many subjects stand for many, the first by code point."""


@dataclass(slots=True)
class Tally:
    """Counts over the runs of one ruleset.

    Attributes
    ----------
    facts : Summary
        What became of the facts.
    statuses : Counter
        Subjects by their status, or `rejected`.
    rules, kinds : Counter
        Derived facts by the rule that derived them, and by kind.
    rule_subjects, kind_subjects : Counter
        Subjects that have such facts.
    months : Counter
        Derived facts by local month (`2015-01`) and kind.
    """

    facts: Summary = field(default_factory=Summary)
    statuses: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    rule_subjects: Counter[str] = field(default_factory=Counter)
    kind_subjects: Counter[str] = field(default_factory=Counter)
    months: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another part's counts."""
        for name in ("given", "used", "duplicates", "voided", "later", "rejected", "subjects", "derived"):
            setattr(self.facts, name, getattr(self.facts, name) + getattr(other.facts, name))
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))

    def add_run(self, status: str, derived: Iterable[tuple[str, str, str]]) -> None:
        """Count a subject: its status, and the month, kind and rule of each derived fact."""
        self.statuses[status] += 1
        found = list(derived)
        self.months.update((month, kind) for month, kind, _ in found)
        self.kinds.update(kind for _, kind, _ in found)
        self.rules.update(rule for _, _, rule in found)
        self.kind_subjects.update({kind for _, kind, _ in found})
        self.rule_subjects.update({rule for _, _, rule in found})

    def as_dict(self) -> dict[str, Any]:
        """The counts as JSON can hold them; `from_dict` reads them back."""
        facts = {name: getattr(self.facts, name) for name in Summary.__slots__}
        found: dict[str, Any] = {"facts": facts}
        for name in COUNTERS[:-1]:
            found[name] = dict(sorted(getattr(self, name).items()))
        found["months"] = [[*key, number] for key, number in sorted(self.months.items())]
        return found

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Tally:
        """The counts that `as_dict` gave."""
        counters = {name: Counter(found[name]) for name in COUNTERS[:-1]}
        months = Counter({(month, kind): number for month, kind, number in found["months"]})
        return cls(Summary(**found["facts"]), **counters, months=months)


COUNTERS = ("statuses", "rules", "kinds", "rule_subjects", "kind_subjects", "months")


@dataclass(slots=True)
class Group:
    """Subjects that are alike: how many, and the first of them."""

    subjects: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, subjects: int, examples: Sequence[str]) -> None:
        """Add subjects that come behind those so far."""
        self.subjects += subjects
        self.examples += examples[: EXAMPLES - len(self.examples)]


@dataclass(frozen=True, slots=True)
class Difference:
    """A subject whose status or sanctions differ under two rulesets.

    `at`, `rule` and `side` are those of the first conclusion that only one of the runs has (`SIDES`); empty, where a
    run was rejected.
    """

    subject: str
    statuses: tuple[str, str]
    at: int | None
    side: int | None
    rule: str


@dataclass(slots=True)
class Differences:
    """Subjects whose status or sanctions differ, by the pair of statuses, and by side and rule that parted them."""

    subjects: int = 0
    pairs: dict[tuple[str, str], Group] = field(default_factory=dict)
    parted: dict[tuple[int, str], Group] = field(default_factory=dict)

    def add(self, other: Differences) -> None:
        """Add those of a part behind those so far."""
        self.subjects += other.subjects
        for pair, group in other.pairs.items():
            self.pairs.setdefault(pair, Group()).add(group.subjects, group.examples)
        for parting, group in other.parted.items():
            self.parted.setdefault(parting, Group()).add(group.subjects, group.examples)

    def add_subject(self, found: Difference) -> None:
        """Count a subject that comes behind those so far."""
        self.subjects += 1
        self.pairs.setdefault(found.statuses, Group()).add(1, [found.subject])
        parting = (-1 if found.side is None else found.side, found.rule)
        self.parted.setdefault(parting, Group()).add(1, [found.subject])

    def as_dict(self) -> dict[str, Any]:
        """The groups as JSON can hold them; `from_dict` reads them back."""
        return {
            "subjects": self.subjects,
            "pairs": [[*pair, g.subjects, g.examples] for pair, g in self.pairs.items()],
            "parted": [[*parting, g.subjects, g.examples] for parting, g in self.parted.items()],
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Differences:
        """The groups that `as_dict` gave."""
        return cls(
            found["subjects"],
            {(a, b): Group(number, examples) for a, b, number, examples in found["pairs"]},
            {(side, rule): Group(number, examples) for side, rule, number, examples in found["parted"]},
        )


Said = tuple[int, str, tuple[tuple[str, object], ...]]
"""A conclusion as two rulesets can share it: when, kind, and the fields that are not missing by name."""


def difference(
    subject: str,
    statuses: tuple[str, str],
    sanctions: tuple[frozenset[str], frozenset[str]],
    said: tuple[Sequence[tuple[Said, str]], Sequence[tuple[Said, str]]],
) -> Difference | None:
    """In what the conclusions on a subject differ under two rulesets; nothing, where status and sanctions agree.

    Parameters
    ----------
    subject : str
        The subject.
    statuses : tuple of str
        Its status under each ruleset.
    sanctions : tuple of frozenset of str
        The kinds that have an effect on the status, of each ruleset.
    said : tuple of sequence
        The conclusions of each run in order, each with its rule.
    """
    counts = [Counter(s for s, _ in said[n] if s[1] in sanctions[n]) for n in (0, 1)]
    if statuses[0] == statuses[1] and counts[0] == counts[1]:
        return None
    left = [Counter(s for s, _ in said[n]) for n in (0, 1)]
    first: tuple[int, int, int, str] | None = None
    for side in (0, 1):
        seen: set[Said] = set()
        for place, (what, rule) in enumerate(said[side]):
            if what in seen or left[side][what] <= left[1 - side][what]:
                continue
            seen.add(what)
            parting = (what[0], side, place, rule)
            if first is None or parting[:3] < first[:3]:
                first = parting
    if first is None or REJECTED in statuses:
        return Difference(subject, statuses, None, None, "")
    return Difference(subject, statuses, first[0], first[1], first[3])


def month_of(ruleset: Ruleset, at: int) -> str:
    """The local month of an instant, as `2015-01`."""
    return format_date(ruleset.zone.local(at)[0])[:7]


def sanctions_of(ruleset: Ruleset) -> frozenset[str]:
    """The kinds that have an effect on the status."""
    return frozenset(kind.name for kind in ruleset.kinds if kind.effect)


def status_order(rulesets: Sequence[Ruleset]) -> list[str]:
    """Every status there can be, the gravest first, then good standing and what was rejected."""
    kinds = {k.name: (-k.severity, k.index) for ruleset in reversed(rulesets) for k in ruleset.kinds if k.effect}
    return [*sorted(kinds, key=lambda name: kinds[name]), GOOD_STANDING, REJECTED]
