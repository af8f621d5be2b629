"""What a run says: conclusions as records, status, pending facts, the journal, and what became of every fact."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from ..facts import DURATION, TIME, Fact, Field, Value
from ..ground.values import format_duration
from ..machine.runs import Entry, JournalEntry, Rejection, SubjectRun
from ..why.tree import visible

if TYPE_CHECKING:
    from ..model import Ruleset


GOOD_STANDING = "good-standing"

Record = dict[str, str | int | bool]
"""A fact as JSON has it: subject, kind, at, the fields that are not missing, and for a derived fact its rule."""


def json_value(ruleset: Ruleset, field: Field, value: Value) -> str | int | bool | None:
    """A field's value as output shows it: times with the ruleset's offset, durations as ISO 8601 seconds."""
    if value is not None and field.type == TIME:
        return ruleset.zone.format(int(value))
    if value is not None and field.type == DURATION:
        return format_duration(int(value))
    return value


def record(ruleset: Ruleset, fact: Fact, rule: str | None = None) -> Record:
    """A fact as a record, its keys in the order of the contract."""
    found: Record = {
        ruleset.subject: fact.subject,
        "kind": fact.kind.name,
        "at": ruleset.zone.format(fact.at),
    }
    for field, value in zip(fact.kind.fields, fact.values, strict=True):
        shown = json_value(ruleset, field, value)
        if shown is not None:
            found[field.name] = shown
    if rule is not None:
        found["rule"] = rule
    return found


def rule_of(entry: Entry) -> str:
    """The rule of a derived fact: the first of its reasons in rule order."""
    return entry.reasons[0].rule.name


def to_json(found: Record) -> str:
    """A record as a line of JSON, as Python's `json.dumps(…, ensure_ascii=False)` writes it."""
    return json.dumps(found, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Status:
    """A subject's status: the kind, and since when (microseconds since 1970 UTC), None where it never changed."""

    kind: str
    since: int | None


def status(ruleset: Ruleset, run: SubjectRun) -> Status:
    """The status of a subject at the instant of a run (semantics 9).

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run, as of the instant asked about.
    """
    return status_of(ruleset, [entry.fact for entry in run.entries], run.as_of)


def status_of(ruleset: Ruleset, facts: Iterable[Fact], as_of: int) -> Status:
    """The status that facts give, in the order of their run, at an instant up to which it goes (semantics 9)."""
    changes: dict[int, Counter[int]] = {}
    for kind, start, end in active_spans(ruleset, facts):
        if start <= as_of and start < end:
            changes.setdefault(start, Counter())[kind] += 1
            if end <= as_of:
                changes.setdefault(end, Counter())[kind] -= 1
    standing: Counter[int] = Counter()
    current, since = -1, None
    for instant in sorted(changes):
        standing.update(changes[instant])
        active = [kind for kind, number in standing.items() if number > 0]
        top = min(active, key=lambda kind: (-ruleset.kinds[kind].severity, kind), default=-1)
        if top != current:
            current, since = top, instant
    return Status(ruleset.kinds[current].name if current >= 0 else GOOD_STANDING, since)


FOREVER = 2**63 - 1


def active_spans(ruleset: Ruleset, facts: Iterable[Fact]) -> list[tuple[int, int, int]]:
    """For each fact with an effect, in order, its kind, and from when and until when it is active (semantics 9)."""
    enders = [kind for kind in ruleset.kinds if kind.ends is not None]
    spans: list[list[int]] = []
    open_spans: dict[tuple[int, tuple[Value, ...]], list[int]] = {}
    for fact in facts:
        kind = fact.kind
        if kind.ends is not None:
            key = tuple(fact.values[slot] for _, slot in kind.ends.slots)
            for number in open_spans.pop((kind.index, key), []) if None not in key else []:
                spans[number][2] = min(spans[number][2], fact.at)
        if not kind.effect:
            continue
        until = fact.get("until") if kind.effect == "interval" else FOREVER
        spans.append([kind.index, fact.at, until if isinstance(until, int) else fact.at])
        for ender in enders:
            if ender.ends is not None and ender.ends.kind == kind.index:
                key = tuple(fact.values[slot] for slot, _ in ender.ends.slots)
                open_spans.setdefault((ender.index, key), []).append(len(spans) - 1)
    return [(kind, start, end) for kind, start, end in spans]


class Ongoing(Protocol):
    """A subject's run that goes on as facts become known."""

    def go_on(self, facts: Sequence[Fact], as_of: int) -> list[JournalEntry]:
        """Go on to an instant; how the conclusions change on the way."""


def journal(facts: Sequence[Fact], as_of: int, run: Ongoing) -> list[JournalEntry]:
    """The journal of one subject up to an instant (semantics 8).

    Parameters
    ----------
    facts : sequence of Fact
        The subject's input facts, in any order.
    as_of : int
        The last instant of the journal, in microseconds since 1970 UTC.
    run : Ongoing
        The subject's run, not begun yet.
    """
    lines: list[JournalEntry] = []
    until: int | None = None
    known = sorted((fact for fact in facts if fact.from_then_on <= as_of), key=attrgetter("from_then_on"))
    for until, together in groupby(known, key=attrgetter("from_then_on")):
        lines += run.go_on(list(together), until)
    if until != as_of:
        lines += run.go_on((), as_of)
    return lines


def identity(entry: Entry) -> tuple[object, ...]:
    """What makes two conclusions of one subject the same: kind, instant, fields and rule."""
    return (entry.fact.kind.index, entry.fact.at, entry.fact.values, rule_of(entry))


@dataclass(slots=True)
class Summary:
    """What became of every fact given: given = used + duplicates + voided + later + rejected (contract)."""

    given: int = 0
    used: int = 0
    duplicates: int = 0
    voided: int = 0
    later: int = 0
    rejected: int = 0
    subjects: int = 0
    derived: int = 0

    def add_run(self, run: SubjectRun, facts: int) -> None:
        """Count a subject's run over so many facts, duplicates merged."""
        self.subjects += 1
        if run.rejection is not None:
            self.rejected += facts
            return
        self.used += run.used
        self.voided += len(run.voided)
        self.later += len(run.later)
        self.derived += run.derived

    def adds_up(self) -> bool:
        """Whether no fact was dropped unseen."""
        return self.given == self.used + self.duplicates + self.voided + self.later + self.rejected


def describe(rejection: Rejection, ruleset: Ruleset) -> str:
    """One line that says why a subject's run was rejected; what cannot be seen is escaped."""
    fact = to_json(record(ruleset, rejection.fact))
    rule = f"rule `{rejection.rule.name}` ({rejection.span})"
    return visible(f"{ruleset.subject} `{rejection.subject}` rejected: {rejection.message}; {rule}, on the fact {fact}")
