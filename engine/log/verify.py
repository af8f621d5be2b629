"""Whether a chain is whole: each record hashed anew, and compared with what the next says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..ground.problems import shorten
from .errors import ChainBroken, DatabaseUnavailable, LogError
from .records import ACTIVATION, FACT, START, Record, Verified, chained, utc

BETWEEN_REPORTS = 1_000


class Link:
    """The last record of a chain that is whole so far: its position, hash and instant.

    Parameters
    ----------
    position : int
        0 before the first.
    hash : bytes
        The hash.
    known_at : int
        The instant, in microseconds since 1970 UTC.
    """

    __slots__ = ("hash", "known_at", "position")

    def __init__(self, position: int, hash: bytes, known_at: int) -> None:
        self.position, self.hash, self.known_at = position, hash, known_at

    def follow(self, record: Record) -> None:
        """Go on to the next record.

        Raises
        ------
        ChainBroken
            Where it does not follow, or is not what its hash is of.
        """
        expected = self.position + 1
        if record.position != expected:
            raise ChainBroken(expected, f"the record is missing: the next that is there is at {record.position}")
        previous = self.hash.hex()
        if record.previous != previous:
            raise ChainBroken(
                record.position,
                f"the record was chained to another than the one before it: it says the hash "
                f"{shorten(record.previous, 16)}, the one before has {shorten(previous, 16)}",
            )
        hash = chained(
            record.position, record.known_at, record.kind, record.key, record.subject, record.content, self.hash
        )
        if record.hash != hash.hex():
            raise ChainBroken(
                record.position,
                f"the record is not what was appended: it has the hash {shorten(hash.hex(), 16)}, and "
                f"{shorten(record.hash, 16)} when it was appended",
            )
        if record.kind not in (FACT, ACTIVATION):
            raise ChainBroken(record.position, f"the record is of the kind `{shorten(record.kind, 40)}`, which is none")
        if record.known_at < self.known_at:
            raise ChainBroken(
                record.position, f"the record became known at {utc(record.known_at)}, before the one before it"
            )
        self.position, self.hash, self.known_at = record.position, hash, record.known_at


def _readable(records: Iterable[Record], link: Link) -> Iterator[Record]:
    """The records; one that cannot even be read breaks the chain, which says how far it is whole."""
    try:
        yield from records
    except DatabaseUnavailable:
        raise
    except LogError as error:
        raise ChainBroken(link.position + 1, f"this record, or one soon after it, cannot be read: {error}") from None


def verify(
    records: Iterable[Record],
    last: int,
    stored: Callable[[str], object],
    progress: Callable[[int, int], None] | None = None,
    head: tuple[int, str] | None = None,
) -> Verified:
    """Check a chain; `Log.verify` says how.

    Parameters
    ----------
    records : iterable of Record
        All records of a log.
    last : int
        The last position.
    stored : callable
        Takes the hash of a ruleset, and raises a LogError where it is not stored as it was.
    progress : callable, optional
        Takes how many records were checked, and how many there are.
    head : tuple of int and str, optional
        A position and hash that was noted before.

    Raises
    ------
    ChainBroken
        At the first position that is not as it was.
    """
    link = Link(0, START, 0)
    bundles: set[str] = set()
    for record in _readable(records, link):
        link.follow(record)
        if record.kind == ACTIVATION:
            bundle = str(record.value().get("bundle"))
            try:
                stored(bundle)
            except LogError as error:
                raise ChainBroken(record.position, str(error)) from None
            bundles.add(bundle)
        if head is not None and record.position == head[0] and record.hash != head[1]:
            raise ChainBroken(record.position, f"the record has the hash {record.hash}, and {head[1]} was noted")
        if progress is not None and record.position % BETWEEN_REPORTS == 0:
            progress(record.position, max(last, record.position))
    if head is not None and head[0] > link.position:
        raise ChainBroken(
            link.position + 1,
            f"the end of the log is missing: position {head[0]} was noted, and the last that is there is "
            f"{link.position}",
        )
    if progress is not None:
        progress(link.position, link.position)
    return Verified(link.position, link.hash.hex(), link.known_at, len(bundles))
