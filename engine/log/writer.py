"""What is done to a log while nobody else can: records are appended, and its clock is moved on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..ground.values import Instant
from . import verify
from .appending import Waiting
from .errors import ChainBroken, ClockError, KeyConflict, UnknownLog
from .records import (
    ACTIVATION,
    FACT,
    START,
    Activation,
    NewFact,
    Receipt,
    Record,
    check_activation,
    check_fact,
    utc,
)
from .snapshot import AFTER, record_of
from .stores import NewRecord, Writing
from .tip import TOLERANCE, Tip

TICK = 100_000
"""How long an instant that a log's clock gave is given again, in microseconds."""
UNNAMED = "at position "
"""How the key of an activation begins that was sent without one."""

HEAD = "SELECT position, hash, known_at FROM strikeout_record WHERE log = ? ORDER BY position DESC LIMIT 1"


class Writer:
    """What is done to a log in a transaction that writes.

    Parameters
    ----------
    name : str
        The name of the log.
    number : int
        Its number in the database.
    now : callable
        The machine's clock, in microseconds since 1970 UTC.
    """

    def __init__(self, name: str, number: int, now: Callable[[], Instant]) -> None:
        self._name, self._number, self._now = name, number, now

    def append(self, batches: Sequence[Waiting], writing: Writing) -> None:
        """Append batches, each all or nothing."""
        tip = self._locked(writing)
        keys = [fact.key for batch in batches for fact in batch.rows]
        known = {
            key: (subject, bytes(content), Receipt(position, known_at, hash.hex(), duplicate=True))
            for key, subject, content, position, known_at, hash in writing.with_keys(self._number, FACT, keys)
        }
        for batch in batches:
            batch.receipts = batch.error = None
            try:
                batch.receipts = self._chain(tip, batch.rows, known)
            except KeyConflict as error:
                batch.error = error
        if tip.records:
            writing.insert(self._number, tip.records)

    def activate(self, activation: Activation, content: bytes, seen: int, writing: Writing) -> Receipt | None:
        """Append an activation; None where another came since it was checked."""
        tip = self._locked(writing)
        if activation.key is not None:
            for _, _, there, position, known_at, hash in writing.with_keys(self._number, ACTIVATION, [activation.key]):
                if bytes(there) != content:
                    raise KeyConflict(0, activation.key, position)
                return Receipt(position, known_at, hash.hex(), duplicate=True)
        last = writing.rows(
            "SELECT max(position) FROM strikeout_record WHERE log = ? AND subject = ''", (self._number,)
        )[0][0]
        if (last or 0) != seen:
            return None
        tip.next()
        key = activation.key if activation.key is not None else f"{UNNAMED}{tip.position + 1}"
        receipt = tip.add(ACTIVATION, key, "", content)
        writing.insert(self._number, tip.records)
        return receipt

    def restore(self, records: Sequence[Record], writing: Writing) -> int:
        """Append records of an export as they are, those that are there compared; how many were not there before."""
        tick, position, hash, known_at = self._end(writing)
        first = records[0].position
        here = [record_of(row) for row in writing.rows(AFTER, (self._number, first - 1, position, len(records)))]
        for ours, theirs in zip(here, records, strict=False):
            if ours != theirs:
                raise ChainBroken(theirs.position, f"the log `{self._name}` has another record there")
        new = records[len(here) :]
        if not new:
            return 0
        if tick >= new[0].known_at:
            raise ClockError(
                f"the log has told instants up to {utc(tick)}, and what is to come became known at "
                f"{utc(new[0].known_at)}: import into a new log"
            )
        if new[-1].known_at > self._now() + TOLERANCE:
            raise ClockError(f"the machine's clock is behind: a record became known at {utc(new[-1].known_at)}")
        link = verify.Link(position, hash, known_at)
        for record in new:
            link.follow(record)
            if record.kind == FACT:
                check_fact(NewFact(record.key, record.subject, record.content), record.position)
            else:
                check_activation(record)
        writing.insert(self._number, [_new(record) for record in new])
        return len(new)

    def tick(self, now: Instant, writing: Writing) -> int:
        """Move the log's clock on to an instant, unless it has moved just before; what it shows."""
        tick = writing.lock(self._number)
        if tick is None:
            return 0  # Another is just writing, and moves it on.
        _, _, known_at = self._last(writing)
        told = max(tick, known_at)
        if now - told > TICK:
            told = now
            writing.rows("UPDATE strikeout_log SET tick = ? WHERE id = ?", (now, self._number))
        return told

    def _chain(self, tip: Tip, rows: Sequence[NewFact], known: dict[str, tuple[str, bytes, Receipt]]) -> list[Receipt]:
        """Chain the facts of a batch that are not known yet; the first look tells whether all can be."""
        fresh: dict[str, NewFact] = {}
        for index, fact in enumerate(rows):
            there = known.get(fact.key)
            if there is not None:
                if there[0] != fact.subject or there[1] != fact.content:
                    raise KeyConflict(index, fact.key, there[2].position)
            elif (other := fresh.setdefault(fact.key, fact)) is not fact and other != fact:
                raise KeyConflict(index, fact.key, None)
        if fresh:
            tip.next()
        receipts = []
        for fact in rows:
            there = known.get(fact.key)
            if there is not None:
                receipts.append(there[2])
                continue
            receipt = tip.add(FACT, fact.key, fact.subject, fact.content)
            receipts.append(receipt)
            again = Receipt(receipt.position, receipt.known_at, receipt.hash, duplicate=True)
            known[fact.key] = (fact.subject, fact.content, again)
        return receipts

    def _locked(self, writing: Writing) -> Tip:
        """The end of the log, to which batches are appended."""
        tick, position, hash, known_at = self._end(writing)
        return Tip(position, hash, max(tick, known_at), self._now)

    def _end(self, writing: Writing) -> tuple[Instant, int, bytes, Instant]:
        """The log's tick, and its last record, which nobody else moves until the transaction ends."""
        tick = writing.lock(self._number)
        if tick is None:
            raise UnknownLog(self._name)
        return tick, *self._last(writing)

    def _last(self, writing: Writing) -> tuple[int, bytes, Instant]:
        """Position, hash and `known_at` of the last record."""
        found = writing.rows(HEAD, (self._number,))
        position, hash, known_at = found[0] if found else (0, START, 0)
        return position, bytes(hash), known_at


def _new(record: Record) -> NewRecord:
    return NewRecord(
        record.position,
        record.known_at,
        record.kind,
        record.key,
        record.subject,
        record.content,
        bytes.fromhex(record.previous),
        bytes.fromhex(record.hash),
    )
