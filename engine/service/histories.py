"""The facts of subjects as last read from the log, bound and in order, and the last run over them.

What is kept here is never asked how things stand. A request first reads, in its own snapshot of the log, the last
position of the subject; what is kept under another position is read on from there, or anew. Records never change, so
what is kept under the same position is the same. A run is used again only where no fact, no scheduled fact and no
deadline lies between its instant and the one asked about; then a run as of the one is that of the other (semantics 3).
"""

from __future__ import annotations

import dataclasses
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from .. import log as logs
from ..facts import Fact, merge_duplicates, order_key
from ..machine.timeline import SubjectRun, run_subject
from ..rows import COMMON, BadCell
from ..speech.outcome import GOOD_STANDING, Status, active_spans, status
from .shelf import Ready

FOREVER = 2**63 - 1
SHORT = 100
"""Up to how many facts a run is so short that nobody waits for another who makes the same."""
NEVER_CHANGED = Status(GOOD_STANDING, None)
LANES = 64
"""How many long runs are made at a time at most, each of other subjects."""

_decode = msgspec.json.Decoder(dict[str, object]).decode


class KeptRun:
    """What is asked of a run most: its conclusions and what is pending, as text too, and what bears on the status.

    Attributes
    ----------
    as_of : int
        The instant of the run.
    until : int
        The first instant as of which a run may be another.
    conclusions, pending : tuple
        As the run has them.
    used, voided, later : int
        How many facts became that.
    rejection : Rejection or None
        Why the run was rejected.
    """

    __slots__ = (
        "_bearing",
        "_facts",
        "_pending",
        "_ready",
        "_status",
        "as_of",
        "conclusions",
        "later",
        "pending",
        "rejection",
        "until",
        "used",
        "voided",
    )

    def __init__(self, ready: Ready, run: SubjectRun) -> None:
        self._ready = ready
        self.as_of = run.as_of
        self.conclusions = run.conclusions
        self.pending = run.pending
        self.rejection = run.rejection
        self.used, self.voided, self.later = run.used, len(run.voided), len(run.later)
        changes = [run.pending[0].fact.at] if run.pending else []
        changes += [fact.from_then_on for fact in run.later]
        self.until = min(changes, default=FOREVER)
        self._bearing = tuple([e for e in run.entries if e.fact.kind.effect or e.fact.kind.ends is not None])
        self._status = (0, 0, NEVER_CHANGED)
        self._facts: bytes | None = None
        self._pending: bytes | None = None

    @property
    def size(self) -> int:
        """What it takes of memory, counted in facts."""
        return 2 * len(self.conclusions) + len(self.pending)

    @property
    def facts_text(self) -> bytes:
        """The conclusions as a JSON array, each as `strikeout run --format jsonl` writes it."""
        if self._facts is None:
            self._facts = self._ready.texts.entries(self.conclusions)
        return self._facts

    @property
    def pending_text(self) -> bytes:
        """What is pending as a JSON array."""
        if self._pending is None:
            self._pending = self._ready.texts.pending(self.pending)
        return self._pending

    def holds(self, as_of: int) -> bool:
        """Whether the run as of an instant is this one."""
        return self.rejection is None and self.as_of <= as_of < self.until

    def status(self, as_of: int) -> Status:
        """The status as of an instant for which the run holds (semantics 9)."""
        since, until, found = self._status
        if since <= as_of < until:
            return found
        if not self._bearing:
            return NEVER_CHANGED
        model = self._ready.ruleset.model
        found = status(model, SubjectRun("", as_of, self._bearing, (), (), (), 0))
        changes = [change for _, *both in active_spans(model, self._bearing) for change in both if change > as_of]
        self._status = as_of, min(changes, default=FOREVER), found
        return found


@dataclass(slots=True)
class History:
    """What a subject's facts are up to a position of a log, under one version of a ruleset.

    `facts` are in the order of semantics 2, without duplicates; `given` counts those of the log, `unknown` those among
    them of which the ruleset has no kind. All but `last` never changes.
    """

    position: int
    facts: list[Fact]
    given: int
    unknown: int
    last: KeptRun | None = None

    def holds(self, as_of: int) -> bool:
        """Whether the last run is the one as of an instant."""
        return self.last is not None and self.last.holds(as_of)

    @property
    def size(self) -> int:
        """What it takes of memory, counted in facts."""
        return 1 + len(self.facts) + (0 if self.last is None else self.last.size)


def bound(ready: Ready, found: logs.Record) -> Fact | None:
    """The fact of a record under a version of a ruleset; None, where that does not know such facts.

    A field that only a later version has is passed over: the version could not ask about it.
    """
    return bound_row(ready, _decode(found.content), found.known_at)


def bound_row(ready: Ready, row: dict[str, object], known_at: int) -> Fact | None:
    """The same, of what the record holds."""
    binder = ready.binder
    try:
        columns = tuple(row)
        kind, at, who, values, seq, _ = binder.header(columns).bind([row[name] for name in columns])
    except BadCell:
        model = ready.ruleset.model
        kind_ = model.kinds_by_name.get(str(row.get("kind")))
        if kind_ is None:
            return None
        fitting = {n: v for n, v in row.items() if n in COMMON or n == model.subject or n in kind_.slots}
        try:
            again = binder.fact(fitting)
        except BadCell:
            return None
        return dataclasses.replace(again, known_at=known_at)
    return Fact(kind, at, who, values, seq, known_at)


def extended(facts: list[Fact], new: list[Fact]) -> list[Fact]:
    """Facts in order, with new ones in their places and duplicates merged (semantics 2); the given list stays."""
    if len(new) * len(facts).bit_length() > len(facts) + len(new):
        return merge_duplicates([*facts, *new])
    every = list(facts)
    for fact in new:
        key = order_key(fact)
        place = bisect_left(every, key, key=order_key)
        if place == len(every) or order_key(every[place]) != key:
            every.insert(place, fact)
        elif fact.known_at < every[place].known_at:
            every[place] = fact
    return every


class Histories:
    """The histories that are kept, those used last, up to so many facts.

    Parameters
    ----------
    most : int
        How many facts are kept in all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str, str], tuple[History, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._running = [threading.Lock() for _ in range(LANES)]
        self.facts = 0
        self.runs = 0
        self.reused = 0

    def __len__(self) -> int:
        return len(self._kept)

    def at(self, log: str, snapshot: logs.Snapshot, ready: Ready, subject: str) -> History:
        """The history of a subject as a snapshot has it."""
        last = snapshot.last_position(subject)
        key = (log, ready.hash, subject)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        history = None if found is None else found[0]
        if history is not None and history.position == last:
            return history
        if history is None or history.position > last:
            made = self._read(snapshot, ready, subject, History(0, [], 0, 0))
            if history is not None:
                return made  # The past is asked about; what is kept is newer.
        else:
            made = self._read(snapshot, ready, subject, history)
        self._keep(key, made)
        return made

    def read(self, snapshot: logs.Snapshot, ready: Ready, subject: str) -> History:
        """The history of a subject, read anew and not kept."""
        return self._read(snapshot, ready, subject, History(0, [], 0, 0))

    def kept(self, log: str, hash_: str, subject: str) -> History:
        """What is kept of a subject, be it as it may; an empty history, where nothing is."""
        key = (log, hash_, subject)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return History(0, [], 0, 0)
            self._kept.move_to_end(key)
            return found[0]

    def after(
        self, log: str, ready: Ready, subject: str, before: History, rows: Sequence[tuple[int, int, dict[str, object]]]
    ) -> History:
        """What was kept, and all that the log has of the subject after it."""
        if not rows:
            return before
        made = self._on(ready, before, rows)
        self._keep((log, ready.hash, subject), made)
        return made

    @classmethod
    def _read(cls, snapshot: logs.Snapshot, ready: Ready, subject: str, before: History) -> History:
        found = snapshot.facts(subject, before.position)
        return cls._on(ready, before, ((record.position, record.known_at, _decode(record.content)) for record in found))

    @staticmethod
    def _on(ready: Ready, before: History, rows: Iterable[tuple[int, int, dict[str, object]]]) -> History:
        new: list[Fact] = []
        given, position = before.given, before.position
        unknown = before.unknown
        for position, known_at, row in rows:  # noqa: B007
            given += 1
            fact = bound_row(ready, row, known_at)
            if fact is None:
                unknown += 1
            else:
                new.append(fact)
        facts = extended(before.facts, new) if before.facts else merge_duplicates(new)
        return History(position, facts, given, unknown)

    def run(self, log: str, ready: Ready, subject: str, history: History, as_of: int) -> KeptRun:
        """The run of a history as of an instant; the last one, where it still holds then."""
        key = (log, ready.hash, subject)
        if len(history.facts) <= SHORT:
            return self._run(key, ready, history, as_of)
        with self._running[hash(key) % len(self._running)]:  # Who asks the same waits, and has the same answer.
            return self._run(key, ready, self._same(key, history), as_of)

    def _same(self, key: tuple[str, str, str], history: History) -> History:
        """The history of that position as it is kept, perhaps with a run."""
        with self._lock:
            found = self._kept.get(key)
        return history if found is None or found[0].position != history.position else found[0]

    def _run(self, key: tuple[str, str, str], ready: Ready, history: History, as_of: int) -> KeptRun:
        last = history.last
        if last is not None and last.holds(as_of):
            self.reused += 1
            return last
        self.runs += 1
        made = KeptRun(ready, run_subject(ready.program, key[2], history.facts, as_of))
        if last is None or last.as_of <= as_of:
            history.last = made
            self._keep(key, history, only_known=True)
        return made

    def _keep(self, key: tuple[str, str, str], history: History, only_known: bool = False) -> None:
        size = history.size
        with self._lock:
            old = self._kept.get(key)
            if only_known and (old is None or old[0] is not history):
                return
            if old is not None:
                if old[0].position > history.position:
                    return
                self.facts -= old[1]
            if size > self._most // 2:
                self._kept.pop(key, None)
                return
            self._kept[key] = (history, size)
            self._kept.move_to_end(key)
            self.facts += size
            while self.facts > self._most:
                _, (_, gone) = self._kept.popitem(last=False)
                self.facts -= gone

    def drop(self) -> None:
        """Forget everything; it is read from the log again."""
        with self._lock:
            self._kept.clear()
            self.facts = 0
