"""A log: what is appended to it, in which order, and what can be read of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter

import msgspec

from ..ground.values import INSTANT_MAX, INSTANT_MIN, Instant
from ..model import Ruleset
from . import verify
from .appending import Queue
from .errors import (
    ActivationRefused,
    BadRecord,
    LogError,
    LogFull,
    NoRuleset,
    ReadOnly,
    UnknownLog,
)
from .records import (
    MOST_KEY,
    START,
    Activated,
    Activation,
    Head,
    NewFact,
    Receipt,
    Record,
    Verified,
    canonical,
    check_fact,
    check_text,
    utc,
)
from .rulesets import Rulesets
from .snapshot import AFTER, COLUMNS, PAGE, Glance, Snapshot, in_force, record_of
from .stores import Reading, Store, read
from .vocabulary import differences
from .writer import HEAD, TICK, UNNAMED, Writer

# An activation has no subject, and is found by it.
STATE = """
SELECT tick,
    (SELECT position FROM strikeout_record WHERE log = ? ORDER BY position DESC LIMIT 1),
    (SELECT known_at FROM strikeout_record WHERE log = ? ORDER BY position DESC LIMIT 1),
    (SELECT max(position) FROM strikeout_record WHERE log = ? AND subject = '')
FROM strikeout_log WHERE id = ?
"""
MOST_GLANCED = 4_000
"""How many bytes of content a fact has at most that is read at a glance."""
ACTIVATIONS = """
SELECT position, known_at, content FROM strikeout_record
WHERE log = ? AND position IN (
    SELECT position FROM strikeout_record WHERE log = ? AND subject = '' AND position > ? AND position <= ?
) ORDER BY position
"""


class Log:
    """A log: facts and rulesets in force, in the order in which they became known; made by `Database`.

    It may be used from many threads, and by many processes at once.

    Attributes
    ----------
    name : str
        Its name.
    rulesets : Rulesets
        The rulesets of its database.
    """

    def __init__(self, store: Store, now: Callable[[], Instant], rulesets: Rulesets, name: str, number: int) -> None:
        self.name, self.rulesets = name, rulesets
        self._store, self._now, self._number = store, now, number
        self._writer = Writer(name, number, now)
        self._queue = Queue(lambda batches: self._store.write(partial(self._writer.append, batches)))
        self._told = 0
        self._activated: tuple[Activated, ...] = ()

    def __repr__(self) -> str:
        return f"<strikeout log {self.name} of {self._store.url}>"

    # Appending.

    def append(self, rows: Sequence[NewFact]) -> list[Receipt]:
        """Append facts, all or none; they are durable when this is back.

        Batches that come from several threads at once share one sync of the disk.

        Parameters
        ----------
        rows : sequence of NewFact
            The facts, each under its key. A fact that the log has under the same key, with the same content, is
            acknowledged with its first receipt.

        Returns
        -------
        list of Receipt
            One for each fact, in order.

        Raises
        ------
        BadRecord
            Where a fact cannot be in a log; `index` says which.
        KeyConflict
            Where a key stands for another content; `index` says which.
        ClockError, LogFull, ReadOnly, DatabaseUnavailable
            Where it is not appended; after DatabaseUnavailable it may be, and is to be sent again with the same keys.
        """
        for index, fact in enumerate(rows):
            check_fact(fact, index)
        return self._queue.append(rows) if rows else []

    def append_activation(self, activation: Activation) -> Receipt:
        """Put a ruleset in force from an instant on.

        A ruleset must take every fact that those in force before it take, and so must those in force after it what it
        takes: of what is given, kinds and fields may be added, the fields optional or with a default, and none removed
        or given another type. Subject and time zone stay the same.

        Parameters
        ----------
        activation : Activation
            The ruleset, stored by `Database.put_bundle`, and the instant, which may be past.

        Raises
        ------
        UnknownBundle
            Where the ruleset is not stored.
        ActivationRefused
            Where it would not take what others of the log take; `differences` says what.
        KeyConflict
            Where the key stands for another activation.
        """
        if not INSTANT_MIN <= activation.from_ <= INSTANT_MAX:
            raise BadRecord("the activation begins at no instant that can be")
        if activation.key is not None:
            check_text("key", activation.key, MOST_KEY)
            if activation.key.startswith(UNNAMED):
                raise BadRecord(f"the key of an activation does not begin with `{UNNAMED}`")
        model = self.rulesets.model(activation.bundle)
        content = canonical(
            {
                "bundle": activation.bundle,
                "from": activation.from_,
                "ruleset": model.name,
                "version": model.version,
            }
        )
        while True:
            with self.snapshot(as_of=0, known=INSTANT_MAX) as snapshot:
                present = snapshot.activations
            self._check_activation(activation, model, present)
            seen = present[-1].position if present else 0
            receipt = self._store.write(partial(self._writer.activate, activation, content, seen))
            if receipt is not None:
                return receipt

    def _check_activation(self, new: Activation, model: Ruleset, present: Sequence[Activated]) -> None:
        order = sorted(present, key=lambda activated: (activated.from_, activated.position))
        before = [activated for activated in order if activated.from_ <= new.from_]
        after = [activated for activated in order if activated.from_ > new.from_]
        if before and (found := differences(self.rulesets.model(before[-1].bundle), model)):
            raise ActivationRefused("the ruleset would refuse facts that the one in force before it takes", found)
        if after and (found := differences(model, self.rulesets.model(after[0].bundle))):
            message = f"the ruleset in force from {utc(after[0].from_)} on would refuse facts that this one takes"
            raise ActivationRefused(message, found)

    def restore(self, records: Sequence[Record]) -> int:
        """Append records of an export as they are; those that the log has already are compared.

        Parameters
        ----------
        records : sequence of Record
            Records that follow each other.

        Returns
        -------
        int
            How many were not there before.

        Raises
        ------
        ChainBroken
            Where they do not chain, or the log has others in their place.
        ClockError
            Where the log's clock has passed their instants, or the machine's has not come to them.
        """
        return self._store.write(partial(self._writer.restore, records)) if records else 0

    # Reading.

    def clock(self) -> Instant:
        """The log's clock, in microseconds since 1970 UTC: what is appended from now on becomes known later.

        It never goes back, and is at most 100 ms behind the machine's clock, unless another is just writing.
        """
        with self.snapshot() as snapshot:
            return snapshot.as_of

    def _tick(self) -> None:
        """Move the log's clock on, unless it has moved just now."""
        now = self._now()
        if now - self._told <= TICK or now > INSTANT_MAX:
            return

        with contextlib.suppress(LogFull, ReadOnly):  # Then the clock stands still, and what it says stays true.
            self._told = max(self._told, self._store.try_write(partial(self._writer.tick, now)) or 0)

    def snapshot(self, as_of: Instant | None = None, known: Instant | None = None) -> Snapshot:
        """One state of the log, to be closed, or used by `with`.

        Parameters
        ----------
        as_of : int, optional
            The instant of the decision, in microseconds since 1970 UTC; else the log's clock.
        known : int, optional
            What is taken as known: what became known up to this instant, at most the log's clock; else all.
        """
        if as_of is None or known is None:
            self._tick()
        reading = self._store.read()
        try:
            number = self._number
            found = reading.rows(STATE, (number, number, number, number))
            if not found:
                raise UnknownLog(self.name)
            tick, position, known_at, activated = found[0]
            clock = max(tick, known_at or 0)
            if clock > INSTANT_MAX:
                raise LogError("the log's clock shows no instant that can be: the database was changed by hand")
            self._told = max(self._told, clock)
            latest = clock if known is None else min(known, clock)
            activations = self._activations(reading, activated or 0)
            if activations and activations[-1].known_at > latest:
                activations = tuple(a for a in activations if a.known_at <= latest)
            head = (position or 0, known_at or 0)
            return Snapshot(reading, number, head, clock if as_of is None else as_of, latest, activations)
        except BaseException:
            reading.close()
            raise

    def glance(self, subject: str, after: int, most: int) -> Glance | None:
        """What the log has of a subject now, where that takes no waiting, no writing, and little reading.

        Parameters
        ----------
        subject : str
            The subject.
        after : int
            The position up to which its facts are known to the caller.
        most : int
            How many facts there may be after it.

        Returns
        -------
        Glance or None
            None, where `snapshot` is to be used instead.
        """
        store = self._store
        if not (store.near and subject) or (self._now() - self._told > TICK and not store.writing):
            return None
        found = store.glance(self._number, subject, after, most + 1, MOST_GLANCED)
        if found is None:
            return None
        tick, position, known_at, activated, texts = found
        known = self._activated
        if not activated or not known or known[-1].position != activated:
            return None
        facts = [] if texts is None else _decode_facts(f"[{texts}]")
        if len(facts) > most or any(row is None for _, _, row in facts):
            return None
        clock = max(tick, known_at)
        self._told = max(self._told, clock)
        try:
            ruleset = in_force(known, clock)
        except NoRuleset:
            return None
        return Glance(clock, position, ruleset, sorted(facts, key=itemgetter(0)))  # type: ignore[arg-type]

    def _activations(self, reading: Reading, last: int) -> tuple[Activated, ...]:
        """The activations up to a position; those read before are remembered."""
        known = self._activated
        seen = known[-1].position if known else 0
        if seen < last:
            more = []
            for position, known_at, content in reading.rows(ACTIVATIONS, (self._number, self._number, seen, last)):
                value = msgspec.json.decode(bytes(content))
                more.append(Activated(position, known_at, value["bundle"], value["from"]))
            known = self._activated = (*known, *more)
        return known if seen <= last else tuple(a for a in known if a.position <= last)

    def head(self) -> Head:
        """The end of the log."""
        found = read(self._store, HEAD, (self._number,))
        position, hash, known_at = found[0] if found else (0, START, 0)
        return Head(position, hash.hex(), known_at)

    def record(self, position: int) -> Record | None:
        """The record at a position; None where there is none."""
        found = read(
            self._store,
            f"SELECT {COLUMNS} FROM strikeout_record WHERE log = ? AND position = ?",
            (self._number, position),
        )
        return record_of(found[0]) if found else None

    def find(self, key: str) -> Record | None:
        """The fact of a key; None where there is none."""
        found = read(
            self._store,
            f"SELECT {COLUMNS} FROM strikeout_record WHERE log = ? AND key = ? AND kind = 'fact'",
            (self._number, key),
        )
        return record_of(found[0]) if found else None

    def records(self, after: int = 0, limit: int | None = None) -> Iterator[Record]:
        """Facts and activations in the order of the log, as far as it goes now.

        Parameters
        ----------
        after : int
            The position after which to begin.
        limit : int, optional
            How many to give at most.
        """
        last = self.head().position if limit is None else after + limit
        while after < last:
            rows = read(self._store, AFTER, (self._number, after, last, min(PAGE, last - after)))
            if not rows:
                return
            yield from map(record_of, rows)
            after = rows[-1][0]

    def verify(
        self, progress: Callable[[int, int], None] | None = None, head: tuple[int, str] | None = None
    ) -> Verified:
        """Check that nothing of the log was changed, removed or put elsewhere.

        A chain that was cut off at its end is whole: only a head that was noted elsewhere shows that something is
        missing there.

        Parameters
        ----------
        progress : callable, optional
            Takes how many records were checked, and how many there are.
        head : tuple of int and str, optional
            A position and hash that was noted before.

        Raises
        ------
        ChainBroken
            At the first position that is not as it was.
        """
        last = self.head().position
        return verify.verify(self.records(), last, self.rulesets.stored, progress, head)


_decode_facts = msgspec.json.Decoder(list[tuple[int, int, dict[str, object] | None]]).decode
