"""What a remedy is to reach, and where a run misses it: what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..facts import DURATION, TIME, Fact, Value
from ..ground.problems import RunError, nearest, shorten
from ..machine.timeline import Entry, SubjectRun
from ..model import Ruleset
from ..speech.outcome import GOOD_STANDING, active_spans
from ..why.support import Arrival


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a run misses a goal: as long as these facts stand and nothing new arrives, it does.

    `terminal` says whether an earlier fact of the terminal kind would be a change for the better.
    """

    entries: tuple[Entry, ...]
    arrivals: tuple[Arrival, ...] = ()
    terminal: bool = True


class Goal(Protocol):
    """What is to be reached."""

    def obstacle(self, run: SubjectRun) -> Obstacle | None:
        """What stands in the way in a run; nothing, where the goal is reached."""


def severity_of(ruleset: Ruleset, status: str) -> int:
    """The severity of a status; that of good standing is the lowest.

    Raises
    ------
    RunError
        Where no kind with an effect has that name.
    """
    if status == GOOD_STANDING:
        return -(2**63)
    known = [kind.name for kind in ruleset.kinds if kind.effect]
    if status not in known:
        hint = nearest(status, [GOOD_STANDING, *known])
        message = f"`{shorten(status, 60)}` is no status of `{ruleset.name}`"
        raise RunError(message + (f"; {hint}" if hint else ""))
    return ruleset.kinds_by_name[status].severity


@dataclass(frozen=True, slots=True)
class Standing:
    """That the status is no more severe than so, from one instant to the run's, both included (semantics 9)."""

    ruleset: Ruleset
    severity: int
    start: int

    def obstacle(self, run: SubjectRun) -> Obstacle | None:
        """The first sanction that is too severe."""
        active = [entry for entry in run.entries if entry.fact.kind.effect]
        spans = active_spans(self.ruleset, [entry.fact for entry in run.entries])
        worse = [
            (max(start, self.start), entry.place, entry)
            for entry, (_, start, end) in zip(active, spans, strict=True)
            if entry.fact.kind.severity > self.severity and max(start, self.start) < end and start <= run.as_of
        ]
        if not worse:
            return None
        _, _, first = min(worse)
        kind = first.fact.kind
        arrivals = [
            Arrival(
                ender,
                frozenset((own, first.fact.values[slot]) for slot, own in ender.ends.slots),
                step=first.step,
            )
            for ender in self.ruleset.kinds
            if ender.ends is not None and ender.ends.kind == kind.index
        ]
        return Obstacle((first,), tuple(arrivals), not self._final())

    def _final(self) -> bool:
        """Whether the terminal kind itself is a sanction that is too severe and that nothing ends."""
        end = self.ruleset.terminal
        if end is None or end.effect != "lasting" or end.severity <= self.severity:
            return False
        return not any(kind.ends is not None and kind.ends.kind == end.index for kind in self.ruleset.kinds)


Mark = tuple[int, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Undone:
    """That facts no longer stand, nor others like them in their place.

    `targets` are the facts; `numbers` says for each how many like it are too many: of the kind, with the same fields,
    times aside.
    """

    targets: tuple[Fact, ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, entries: Sequence[Entry], run: SubjectRun) -> Undone:
        """That facts of a run are undone."""
        marks = [mark(entry.fact) for entry in run.entries]
        wanted = [mark(entry.fact) for entry in entries]
        return cls(tuple(e.fact for e in entries), tuple(marks.count(m) - wanted.count(m) + 1 for m in wanted))

    def obstacle(self, run: SubjectRun) -> Obstacle | None:
        """What stands like the first of the facts that is not undone."""
        for target, number in zip(self.targets, self.numbers, strict=True):
            kind, meant = target.kind, mark(target)
            alike = [entry for entry in run.entries if entry.fact.kind is kind and mark(entry.fact) == meant]
            same = [entry for entry in alike if entry.fact.at == target.at]
            if same:
                return Obstacle((same[0],))
            if len(alike) >= number:
                return Obstacle(tuple(alike))
        return None


def mark(fact: Fact) -> Mark:
    """What facts that are alike have in common: the kind, and all fields but times and durations."""
    pairs = zip(fact.kind.fields, fact.values, strict=True)
    return fact.kind.index, tuple(value for field, value in pairs if field.type not in (TIME, DURATION))
