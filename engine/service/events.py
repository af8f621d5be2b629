"""New entries of the journal as server-sent events, of one subject or of all, resumable without loss.

An event's id is `INSTANT.NUMBER`: the instant in microseconds since 1970 UTC at which the entry became known, and its
number among those of that instant, from 1. What lies behind the log's clock never changes, so that a stream which
begins anew behind an id goes on with exactly the next entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .. import log as logs
from ..model import Ruleset
from ..speech.outcome import FOREVER
from . import types
from .histories import Histories, happens
from .journals import Journals, Line, OngoingRuns, reigns
from .kept_runs import KeptRun
from .problems import Refusal
from .shelf import Ready, Shelf

RECORDS = 1_000
"""How many records are looked at together, at least; those of one batch are never parted."""
SLICE = 500
"""How many subjects are looked at in one snapshot of the log."""
KEPT = 600_000_000
"""How long what is known of all subjects is kept for streams that begin anew, in microseconds."""
EVERY = 30_000_000

_ID = re.compile(r"(\d{1,18})\.(\d{1,9})")

Told = list[tuple[str, types.Event]]


def cursor(text: str) -> tuple[int, int]:
    """The instant and number of an event's id.

    Raises
    ------
    Refusal
        Where it is none.

    Examples
    --------
    >>> cursor("1421000000000000.3")
    (1421000000000000, 3)
    """
    found = _ID.fullmatch(text)
    if found is None:
        raise Refusal("bad-request", "`Last-Event-ID`: expected the id of an event, such as `1421000000000000.1`")
    return int(found[1]), int(found[2])


@dataclass(slots=True)
class Watch:
    """How far a stream has come, and when subjects are to be looked at again though nothing is reported of them.

    Attributes
    ----------
    at : int
        The instant up to which everything was told.
    position : int
        The last position of the log that was known then.
    wakes : dict
        By subject the next instant at which something scheduled falls due, or a fact reported ahead of time happens.
    """

    at: int
    position: int
    wakes: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Watch:
        """The same, to go on alone."""
        return Watch(self.at, self.position, dict(self.wakes))


class Watches:
    """What streams of all subjects know, kept for some minutes: a new one need not look at every subject again."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Watch]] = {}

    def newest(self, log: str, at: int) -> Watch | None:
        """The newest of a log that has not come further than an instant."""
        found = [watch for watch in self._kept.get(log, []) if watch.at <= at]
        return max(found, key=lambda watch: watch.at).copy() if found else None

    def keep(self, log: str, watch: Watch) -> None:
        """Keep how far a stream has come, now and then."""
        kept = self._kept.get(log, [])
        if not kept or kept[-1].at + EVERY <= watch.at:
            self._kept[log] = [w for w in kept if w.at + KEPT > watch.at] + [watch.copy()]


class Follower:
    """Finds what a stream has to tell; used by one thread at a time.

    Parameters
    ----------
    log : strikeout.log.Log
        The log.
    shelf : Shelf
        The rulesets.
    histories : Histories
        What is kept of subjects.
    watches : Watches
        What other streams know.
    ongoing : OngoingRuns
        The runs with which streams go on.
    subject : str or None
        The one subject that is followed; else all.
    check : callable
        Called now and then; it raises where the service stops.
    """

    def __init__(
        self,
        log: logs.Log,
        shelf: Shelf,
        histories: Histories,
        watches: Watches,
        ongoing: OngoingRuns,
        subject: str | None,
        check: Callable[[], None],
    ) -> None:
        self._log, self._shelf, self._histories, self._watches = log, shelf, histories, watches
        self._subject, self._check = subject, check
        self._journals, self._ongoing = Journals(shelf, histories, check, ongoing), ongoing
        self._watch: Watch | None = None
        self._after, self._skip = 0, 0

    def begin(self, last: str | None) -> int:
        """Begin now, or behind the event of an id; the instant after which entries are told.

        Raises
        ------
        Refusal
            Where the id is none of this log.
        """
        clock = self._log.clock()
        self._after = clock
        if last:
            instant, self._skip = cursor(last)
            if instant > clock:
                raise Refusal("clock", "`Last-Event-ID` lies ahead of the clock of the log")
            self._after = instant - 1
        return self._after

    def close(self) -> None:
        """Keep nothing more for it."""
        self._ongoing.forget(self._journals)

    def look(self) -> Told:
        """The next events, each with its id; nothing, where there are none yet."""
        if self._watch is None:
            self._watch = self._begun()
        watch = self._watch
        with self._log.snapshot() as snapshot:
            until, stirred = self._window(snapshot, watch)
            lines: list[tuple[str, Line]] = []
            for subject in stirred:
                self._check()
                found = self._journals.lines(self._log.name, snapshot, subject, watch.at, until)
                lines += [(subject, line) for line in found]
                self._set_wake(snapshot, watch, subject, until, True)
        watch.at = until
        if self._subject is None:
            self._watches.keep(self._log.name, watch)
        return self._told(lines)

    def _told(self, lines: list[tuple[str, Line]]) -> Told:
        """Lines as events, in order; those that were told before are left out."""
        lines.sort(key=lambda pair: (pair[1].at, pair[0]))
        told: Told = []
        instant, number = -FOREVER, 0
        for subject, line in lines:
            number = number + 1 if line.at == instant else 1
            instant = line.at
            if instant <= self._after or (instant == self._after + 1 and number <= self._skip):
                continue
            shown = line.as_line()
            event = types.Event(subject=subject, at=shown.at, sign=shown.sign, fact=shown.fact, ruleset=line.ready.ref)
            told.append((f"{instant}.{number}", event))
        return told

    def _begun(self) -> Watch:
        """What is known of the followed subjects as of the beginning."""
        at = self._after
        if self._subject is None:
            found = self._watches.newest(self._log.name, at)
            if found is not None:
                return found
        with self._log.snapshot(at, at) as snapshot:
            watch = Watch(at, snapshot.position)
        for page in self._with_something_ahead(watch):
            with self._log.snapshot(at, at) as snapshot:
                for subject in page:
                    self._check()
                    self._set_wake(snapshot, watch, subject, at, self._subject is not None)
        return watch

    def _with_something_ahead(self, watch: Watch) -> Iterator[list[str]]:
        """The followed subjects of which something may fall due or happen later, some at a time."""
        if self._subject is not None:
            yield [self._subject]
            return
        with self._log.snapshot(watch.at, watch.at) as snapshot:
            found = [reign for reign in reigns(snapshot.activations, self._shelf) if reign.start <= watch.at]
        if found and not _schedules(found[-1].ready):  # Then only what was reported ahead of time lies ahead.
            for position in range(0, watch.position, RECORDS):
                self._check()
                with self._log.snapshot(watch.at, watch.at) as snapshot:
                    records = [record for record in snapshot.records(position, RECORDS) if record.kind == logs.FACT]
                ahead = {record.subject for record in records if happens(found[-1].ready, record) > watch.at}
                yield sorted(ahead)
            return
        after = ""
        while True:
            with self._log.snapshot(watch.at, watch.at) as snapshot:
                page = snapshot.subjects(after, SLICE)
            yield page
            if len(page) < SLICE:
                return
            after = page[-1]

    def _window(self, snapshot: logs.Snapshot, watch: Watch) -> tuple[int, list[str]]:
        """Up to which instant the next look goes, and the subjects whose journals can have gone on until then."""
        until, taken, last = snapshot.as_of, 0, -FOREVER
        stirred: set[str] = set()
        for found in self._records(snapshot, watch.position):
            if taken >= RECORDS and found.known_at != last:
                until = last
                break
            taken, last = taken + 1, found.known_at
            watch.position = found.position
            if found.kind == logs.FACT:
                stirred.add(found.subject)
        until = max(until, watch.at)
        stirred |= {subject for subject, due in watch.wakes.items() if due <= until}
        if any(watch.at < reign.start <= until for reign in reigns(snapshot.activations, self._shelf)):
            stirred.update(self._everybody(snapshot))
        return until, sorted(stirred)

    def _records(self, snapshot: logs.Snapshot, position: int) -> Iterator[logs.Record]:
        if self._subject is None:
            return snapshot.records(position)
        return snapshot.facts(self._subject, position)

    def _everybody(self, snapshot: logs.Snapshot) -> Iterator[str]:
        if self._subject is not None:
            yield self._subject
            return
        after = ""
        while page := snapshot.subjects(after, SLICE):
            yield from page
            after = page[-1]

    def _set_wake(self, snapshot: logs.Snapshot, watch: Watch, subject: str, at: int, keep: bool) -> None:
        """Note when a subject is to be looked at again though nothing is reported of it."""
        due = FOREVER
        found = [reign for reign in reigns(snapshot.activations, self._shelf) if reign.start <= at]
        if found:
            ready, log = found[-1].ready, self._log.name
            if keep:
                history = self._histories.at(log, snapshot, ready, subject)
                due = self._histories.run(log, ready, subject, history, at, snapshot.known).until
            else:
                facts = self._histories.read(snapshot, ready, subject).facts
                if _schedules(ready) or any(fact.from_then_on > at for fact in facts):
                    due = KeptRun(ready, at, ready.program.conclude(subject, facts, at)).until
        if due < FOREVER:
            watch.wakes[subject] = due
        else:
            watch.wakes.pop(subject, None)


def _schedules(ready: Ready) -> bool:
    model: Ruleset = ready.ruleset.model
    return any(derivation.at is not None for rule in model.rules for _, _, derivation in rule.derivations())
