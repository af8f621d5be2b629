"""The journal of a subject of a log (semantics 8), also over changes of the ruleset, from an instant on.

The ruleset of an instant is the one in force then, as known then. Where one follows another, what only the one
concluded ceases to hold at the first instant of the other, and what only the other concludes comes to hold. Every fact
and activation is known later than all instants that the log's clock has shown, so what lies behind the clock stays.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .. import log as logs
from ..ahead.difference import same_fact
from ..facts import Fact
from ..machine.compiled import OngoingRun
from ..machine.timeline import Entry, JournalEntry, run_subject
from ..speech.outcome import FOREVER, record, rule_of
from . import types
from .histories import SHORT, Histories
from .shelf import Ready, Shelf

INSTANTS = 5_000
"""How many instants at which facts became known are looked at for one page, at most."""


@dataclass(frozen=True, slots=True)
class Reign:
    """From when on a ruleset is in force, as known then."""

    start: int
    ready: Ready


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the journal: when it became known, `+` or `-`, the conclusion, and the ruleset that it is of."""

    at: int
    sign: str
    entry: Entry
    ready: Ready

    def as_line(self) -> types.JournalLine:
        """The line as the wire has it."""
        model = self.ready.ruleset.model
        found = record(model, self.entry.fact, rule_of(self.entry))
        return types.JournalLine(at=model.zone.format(self.at), sign=self.sign, fact=found)


def reigns(activations: Sequence[logs.Activated], shelf: Shelf) -> list[Reign]:
    """Which rulesets were in force one after the other, each as known at the time."""
    found: list[Reign] = []
    for start in sorted({max(a.from_, a.known_at) for a in activations}):
        known = [a for a in activations if a.known_at <= start and a.from_ <= start]
        newest = max(known, key=lambda a: (a.from_, a.position))
        if not found or found[-1].ready.hash != newest.bundle:
            found.append(Reign(start, shelf.ready(newest.bundle)))
    return found


class OngoingRuns:
    """Runs that go on, each of one who asks again about the time after; those used last, up to so many facts.

    Parameters
    ----------
    most : int
        How many facts they may have together.
    """

    def __init__(self, most: int) -> None:
        self._most, self._facts = most, 0
        self._kept: OrderedDict[tuple[Journals, str, str], tuple[OngoingRun, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: tuple[Journals, str, str], at: int) -> OngoingRun | None:
        """The run of a key that has gone up to an instant; it is kept no more."""
        with self._lock:
            run, ran, size = self._kept.pop(key, (None, 0, 0))
            self._facts -= size
        return run if ran == at else None

    def put(self, key: tuple[Journals, str, str], run: OngoingRun, at: int, size: int) -> None:
        """Keep a run that has gone up to an instant."""
        with self._lock:
            self._kept[key] = run, at, size
            self._facts += size
            while self._facts > self._most:
                _, (_, _, gone) = self._kept.popitem(last=False)
                self._facts -= gone

    def forget(self, journals: Journals) -> None:
        """Keep nothing more of one who asks no more."""
        with self._lock:
            for key in [key for key in self._kept if key[0] is journals]:
                self._facts -= self._kept.pop(key)[2]


class Journals:
    """Journals of subjects, as a snapshot of a log has them.

    Parameters
    ----------
    shelf : Shelf
        The rulesets.
    histories : Histories
        What is kept of subjects.
    check : callable
        Called before each run; it raises where there is no more time.
    ongoing : OngoingRuns, optional
        Where the runs of long histories are kept for who asks again, about the time after.
    """

    def __init__(
        self, shelf: Shelf, histories: Histories, check: Callable[[], None], ongoing: OngoingRuns | None = None
    ) -> None:
        self._shelf, self._histories, self._check = shelf, histories, check
        self._ongoing = ongoing

    def lines(self, log: str, snapshot: logs.Snapshot, subject: str, after: int, until: int) -> list[Line]:
        """The journal of a subject later than one instant, up to another.

        Parameters
        ----------
        log : str
            The log.
        snapshot : Snapshot
            What is read; it is of `until` or later.
        subject : str
            The subject.
        after, until : int
            The instants, in microseconds since 1970 UTC.
        """
        found = reigns(snapshot.activations, self._shelf)
        histories = {r.ready.hash: self._histories.at(log, snapshot, r.ready, subject).facts for r in found}
        lines: list[Line] = []
        for number, reign in enumerate(found):
            end = min(found[number + 1].start - 1, until) if number + 1 < len(found) else until
            if end <= after or reign.start > end:
                continue
            facts = histories[reign.ready.hash]
            begin = after
            if reign.start > after:
                lines += self._change(found[number - 1] if number else None, reign, subject, histories)
                begin = reign.start
            if end > begin:
                entries = self._entries(reign.ready, subject, facts, begin, end)
                lines += [Line(entry.at, entry.sign, entry.entry, reign.ready) for entry in entries]
        return lines

    def _entries(self, ready: Ready, subject: str, facts: Sequence[Fact], after: int, until: int) -> list[JournalEntry]:
        """How a subject's conclusions change under one ruleset, later than one instant, up to another."""
        key = self, ready.hash, subject
        run = None if self._ongoing is None else self._ongoing.take(key, after)
        if run is None:
            run = ready.ruleset.begin(subject)
            before = [fact for fact in facts if fact.from_then_on <= after]
            if before or after > -FOREVER:
                run.go_on(before, after)
        known = sorted((fact for fact in facts if after < fact.from_then_on <= until), key=_known)
        entries: list[JournalEntry] = []
        instant = after
        for instant, together in groupby(known, key=_known):
            self._check()
            entries += run.go_on(list(together), instant)
        if instant != until:
            entries += run.go_on((), until)
        if self._ongoing is not None and len(facts) > SHORT:
            self._ongoing.put(key, run, until, len(facts))
        return entries

    def instants(self, log: str, snapshot: logs.Snapshot, subject: str, after: int) -> list[int]:
        """The instants later than one at which facts of a subject became known, up to that of the snapshot."""
        as_of = snapshot.as_of
        found = {
            fact.from_then_on
            for reign in reigns(snapshot.activations, self._shelf)
            for fact in self._histories.at(log, snapshot, reign.ready, subject).facts
            if after < fact.from_then_on <= as_of
        }
        return sorted(found)

    def _concluded(self, ready: Ready, subject: str, facts: Sequence[Fact], at: int) -> Sequence[Entry]:
        self._check()
        return run_subject(ready.program, subject, facts, at).conclusions

    def _change(
        self, previous: Reign | None, reign: Reign, subject: str, histories: dict[str, list[Fact]]
    ) -> Iterator[Line]:
        """What ceases to hold and what comes to hold where one ruleset follows another."""
        before: Sequence[Entry] = ()
        if previous is not None:
            before = self._concluded(previous.ready, subject, histories[previous.ready.hash], reign.start - 1)
        after = self._concluded(reign.ready, subject, histories[reign.ready.hash], reign.start)
        if previous is not None:
            yield from (Line(reign.start, "-", e, previous.ready) for e in _besides(before, after))
        yield from (Line(reign.start, "+", e, reign.ready) for e in _besides(after, before))


def _known(fact: Fact) -> int:
    return fact.from_then_on


def _besides(these: Sequence[Entry], those: Sequence[Entry]) -> Iterator[Entry]:
    """The first conclusions without the second, also of two rulesets, equal ones by number."""
    left = Counter((same_fact(e.fact), rule_of(e)) for e in those)
    for entry in these:
        key = (same_fact(entry.fact), rule_of(entry))
        if left[key] > 0:
            left[key] -= 1
        else:
            yield entry
