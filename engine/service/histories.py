"""The facts of subjects as last read from the log, bound and in order, and the last run over them.

What is kept here is never asked how things stand. A request first reads, in its own snapshot of the log, the last
position of the subject; what is kept under another position is read on from there, or anew. Records never change, so
what is kept under the same position is the same. A run is used again only where no fact, no scheduled fact and no
deadline lies between its instant and the one asked about; then a run as of the one is that of the other (semantics 3).
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from .. import log as logs
from ..facts import Fact, has, merge_duplicates, place_of
from ..rows import COMMON, BadCell
from .kept_runs import KeptRun, Running
from .shelf import Ready

SHORT = 100
"""Up to how many facts a run is so short that nobody waits for another who makes the same."""
LANES = 64
"""How many long runs are made at a time at most, each of other subjects."""
SHARE = 4
"""What part of all that is kept may be short histories while others want room: one so manieth."""

Key = tuple[str, str, str]
"""Log, version of the ruleset, subject."""

_decode = msgspec.json.Decoder(dict[str, object]).decode


@dataclass(slots=True)
class History:
    """What a subject's facts are up to a position of a log, under one version of a ruleset.

    `facts` are in the order of semantics 2, without duplicates; `given` counts those of the log, `unknown` those among
    them of which the ruleset has no kind. Where a run goes on, `running`, there are `new` facts after its position,
    each with its own. All but `last` and `running` never changes.
    """

    position: int
    facts: list[Fact]
    given: int
    unknown: int
    last: KeptRun | None = None
    running: Running | None = None
    new: Sequence[tuple[int, Fact]] = ()

    def holds(self, as_of: int) -> bool:
        """Whether the last run is the one as of an instant."""
        return self.last is not None and self.last.holds(as_of)

    @property
    def size(self) -> int:
        """What it takes of memory, counted in facts."""
        facts, concluded = len(self.facts), 0 if self.last is None else self.last.size
        # With a run that goes on: places, what can be taken back, and each conclusion as text.
        more = 0 if self.running is None else facts // 8 + 2 * concluded
        return 1 + facts + more + concluded


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


def happens(ready: Ready, found: logs.Record) -> int:
    """The instant of the fact of a record, also where the version does not know such facts."""
    return ready.binder.instant("at", _decode(found.content)["at"]) or 0


def extended(facts: list[Fact], new: Sequence[tuple[int, Fact]]) -> tuple[list[Fact], list[tuple[int, Fact]] | None]:
    """Facts in order, with new ones in their places and duplicates merged (semantics 2); the given list stays.

    Also those of the new ones that were not there before, each with its position in the log; None, where that was not
    looked at: where they are many, or one became known before its duplicate.
    """
    if len(new) * len(facts).bit_length() > len(facts) + len(new):
        return merge_duplicates([*facts, *(fact for _, fact in new)]), None
    every = list(facts)
    came = []
    for position, fact in new:
        place = place_of(every, fact)
        if not has(every, place, fact):
            every.insert(place, fact)
            came.append((position, fact))
        elif fact.known_at < every[place].known_at:
            return merge_duplicates([*facts, *(fact for _, fact in new)]), None
    return every, came


class Histories:
    """The histories that are kept, those used last, up to so many facts.

    Parameters
    ----------
    most : int
        How many facts are kept in all.
    """

    def __init__(self, most: int) -> None:
        self._short, self._long = Shelved(), Shelved()
        self._most = most
        self._lock = threading.Lock()
        self._running = [threading.Lock() for _ in range(LANES)]
        self.runs = 0
        self.reused = 0

    def __len__(self) -> int:
        return len(self._short.kept) + len(self._long.kept)

    @property
    def facts(self) -> int:
        """How many facts are kept."""
        return self._short.facts + self._long.facts

    def at(self, log: str, snapshot: logs.Snapshot, ready: Ready, subject: str) -> History:
        """The history of a subject as a snapshot has it."""
        last = snapshot.last_position(subject)
        key = (log, ready.hash, subject)
        history = self._find(key)
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
        return self._find((log, hash_, subject)) or History(0, [], 0, 0)

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
        new: list[tuple[int, Fact]] = []
        given, position = before.given, before.position
        unknown = before.unknown
        for position, known_at, row in rows:
            given += 1
            fact = bound_row(ready, row, known_at)
            if fact is None:
                unknown += 1
            else:
                new.append((position, fact))
        if not before.facts:
            return History(position, merge_duplicates([fact for _, fact in new]), given, unknown)
        facts, came = extended(before.facts, new)
        running = before.running
        if running is None or came is None:
            return History(position, facts, given, unknown)
        since = running.position
        waiting = [each for each in (*before.new, *came) if each[0] > since]
        return History(position, facts, given, unknown, None, running, waiting)

    def run(self, log: str, ready: Ready, subject: str, history: History, as_of: int, known: int) -> KeptRun:
        """The run of a history as of an instant; the last one, where it still holds then.

        Those who ask about the same long history wait for each other. What is asked ahead of what is known is not kept,
        as nothing could go on from there until the clock has come to it.
        """
        key = (log, ready.hash, subject)
        if history.holds(as_of):
            return self._run(key, ready, history, as_of)
        if as_of > known:
            self.runs += 1
            return KeptRun(ready, as_of, ready.program.conclude(subject, history.facts, as_of))
        if len(history.facts) <= SHORT:
            return self._run(key, ready, history, as_of)
        with self._running[hash(key) % len(self._running)]:
            return self._run(key, ready, self._same(key, history), as_of)

    def _same(self, key: Key, history: History) -> History:
        """The history of that position as it is kept, perhaps with a run."""
        found = self._find(key)
        return history if found is None or found.position != history.position else found

    def _run(self, key: Key, ready: Ready, history: History, as_of: int) -> KeptRun:
        last = history.last
        if last is not None and last.holds(as_of):
            self.reused += 1
            return last
        self.runs += 1
        newest = last is None or last.as_of <= as_of
        made = self._gone_on(key, ready, history, as_of) if newest and len(history.facts) > SHORT else None
        if made is None:
            made = KeptRun(ready, as_of, ready.program.conclude(key[2], history.facts, as_of))
        if newest:
            history.last = made
            self._keep(key, history, only_known=True)
        return made

    def _gone_on(self, key: Key, ready: Ready, history: History, as_of: int) -> KeptRun | None:
        """The run of a long history that is kept, gone on from where it was; None, where it has to be made anew."""
        running = history.running
        if running is None or not running.whole:
            if self._find(key) is not history:
                return None
            running = Running(ready, key[2])
            history.running = running
            return running.go_on(history.facts, history.position, as_of)
        if running.position > history.position or running.as_of > as_of:
            return None  # It has gone on already with what this history does not know.
        since = running.position
        return running.go_on([fact for position, fact in history.new if position > since], history.position, as_of)

    def _find(self, key: Key) -> History | None:
        """What is kept under a key, which is thereby used."""
        with self._lock:
            return self._long.use(key) or self._short.use(key)

    def _keep(self, key: Key, history: History, only_known: bool = False) -> None:
        size = history.size
        shelf, other = (self._long, self._short) if len(history.facts) > SHORT else (self._short, self._long)
        with self._lock:
            old = shelf.kept.get(key) or other.kept.get(key)
            if only_known and (old is None or old[0] is not history):
                return
            if old is not None and old[0].position > history.position:
                return
            shelf.remove(key)
            other.remove(key)
            if size > self._most:
                return
            shelf.put(key, history, size)
            # What is short is soon made again: it goes first, but for a part.
            while self.facts > self._most:
                (self._short if self._short.facts > self._most // SHARE or not self._long.kept else self._long).drop()

    def drop(self) -> None:
        """Forget everything; it is read from the log again."""
        with self._lock:
            self._short, self._long = Shelved(), Shelved()


class Shelved:
    """Histories in the order in which they were used last, and how many facts they take."""

    __slots__ = ("facts", "kept")

    def __init__(self) -> None:
        self.kept: OrderedDict[Key, tuple[History, int]] = OrderedDict()
        self.facts = 0

    def use(self, key: Key) -> History | None:
        """What is kept under a key: it is now that used last."""
        found = self.kept.get(key)
        if found is None:
            return None
        self.kept.move_to_end(key)
        return found[0]

    def put(self, key: Key, history: History, size: int) -> None:
        """Keep a history."""
        self.kept[key] = (history, size)
        self.facts += size

    def remove(self, key: Key) -> None:
        """Keep it no more."""
        _, size = self.kept.pop(key, (None, 0))
        self.facts -= size

    def drop(self) -> None:
        """Forget that which was used longest ago."""
        _, (_, size) = self.kept.popitem(last=False)
        self.facts -= size
