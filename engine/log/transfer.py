"""A log as JSON Lines: a header, each record as its hash is of, each ruleset before it is put in force, and an end.

Imported into an empty log, the records have the same positions, instants and hashes. An export that was cut off
lacks its last line, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from ..ground.problems import quoted, shorten
from ..ground.values import Instant
from .bundle import Bundle
from .database import Database
from .errors import BadRecord, ChainBroken, DatabaseUnavailable, LogError
from .log import Log
from .records import ACTIVATION, Head, Record, canonical, utc
from .snapshot import Snapshot

FORMAT = 1
AT_ONCE = 2_000
"""How many records are imported in one transaction."""

Report = Callable[[int], None]
"""Takes how many records are done."""


class _Line(msgspec.Struct):
    """A line of an export: the header, a ruleset, a record or the end."""

    strikeout_log: int | None = None
    log: str = ""
    bundle: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"")
    position: int | None = None
    known_at: int = 0
    kind: str = ""
    key: str = ""
    subject: str = ""
    previous: str = ""
    hash: str = ""
    end: int | None = None


_decode = msgspec.json.Decoder(_Line).decode


def export_lines(log: Log) -> Iterator[bytes]:
    """A log as lines, each with its line end; what is appended meanwhile is left out.

    Parameters
    ----------
    log : Log
        The log.
    """
    head = log.head()
    yield canonical({"log": log.name, "strikeout_log": FORMAT}) + b"\n"
    given: set[str] = set()
    for record in log.records(limit=head.position):
        if record.kind == ACTIVATION:
            hash = str(record.value().get("bundle"))
            if hash not in given:
                given.add(hash)
                yield b'{"bundle":"%b","content":%b}\n' % (hash.encode(), log.rulesets.bundle(hash).content)
        yield record.line() + b"\n"
    yield canonical({"end": head.position, "hash": head.hash}) + b"\n"


def import_lines(
    database: Database, lines: Iterable[bytes], name: str | None = None, report: Report | None = None
) -> Log:
    """Import an export into a new log, or go on where an import was stopped.

    Nothing of the lines is believed: every hash is computed anew. Records come in by the thousand; a log whose import
    was stopped is whole as far as it goes.

    Parameters
    ----------
    database : Database
        Where the log is made, if it is missing.
    lines : iterable of bytes
        The lines of an export.
    name : str, optional
        The log's name; else that of the log that was exported.
    report : callable, optional
        Takes how many records are done.

    Returns
    -------
    Log
        The log.

    Raises
    ------
    BadRecord
        Where the lines are no export, or break off before its end.
    ChainBroken
        Where records do not chain, or the log has others.
    """
    log: Log | None = None
    waiting: list[Record] = []
    head = Head(0, bytes(32).hex(), 0)
    ended = False
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        line = _read(text, number)
        if log is None:
            log = _begun(database, line, name)
        elif ended:
            raise BadRecord(f"line {number}: the export goes on after its end")
        elif line.position is not None:
            record = Record(
                line.position,
                line.known_at,
                line.kind,
                line.key,
                line.subject,
                bytes(line.content),
                line.previous,
                line.hash,
            )
            if record.line() != text.strip():
                raise ChainBroken(record.position, f"line {number} is not written as an export writes it")
            if record.kind == ACTIVATION:
                _has_ruleset(log, record)
            waiting.append(record)
            head = Head(record.position, record.hash, record.known_at)
            if len(waiting) >= AT_ONCE:
                log.restore(waiting)
                waiting.clear()
                if report is not None:
                    report(head.position)
        elif line.bundle is not None:
            bundle = Bundle.read(bytes(line.content))
            if bundle.hash != line.bundle:
                raise BadRecord(f"line {number}: the ruleset is not what its hash is of")
            database.put_bundle(bundle)
        elif line.end is not None:
            if (line.end, line.hash) != (head.position, head.hash):
                raise ChainBroken(head.position, f"the export ends at {line.end} {shorten(line.hash, 16)}, not here")
            ended = True
        else:
            raise BadRecord(f"line {number} is no line of an export")
    if log is None:
        raise BadRecord("there is nothing to import")
    log.restore(waiting)
    if report is not None:
        report(head.position)
    if not ended:
        raise BadRecord(f"the export breaks off after position {head.position}; what is there was imported")
    return log


def _has_ruleset(log: Log, record: Record) -> None:
    """That the ruleset of an activation has come before it: without its texts nothing could be decided."""
    try:
        log.rulesets.stored(str(record.value().get("bundle")))
    except DatabaseUnavailable:
        raise
    except LogError as error:
        raise ChainBroken(record.position, str(error)) from None


def _read(text: bytes, number: int) -> _Line:
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRecord(f"line {number} is no line of an export") from None


def _begun(database: Database, header: _Line, name: str | None) -> Log:
    if header.strikeout_log is None:
        raise BadRecord("this is no export of a log: the first line says so")
    if header.strikeout_log > FORMAT:
        raise BadRecord("the export was written by a newer version of this program")
    wanted = name or header.log
    if wanted in database.logs():
        return database.log(wanted)
    if not wanted:
        raise BadRecord(f"the export names no log; say one, not {quoted(wanted)}")
    return database.create(wanted)


def fact_lines(snapshot: Snapshot, subject: str | None = None) -> Iterator[bytes]:
    """The facts known as of a decision as rows in JSON Lines, with `known_at`, as `strikeout run` reads them.

    Parameters
    ----------
    snapshot : Snapshot
        The state of the log.
    subject : str, optional
        The only subject.
    """
    for record in snapshot.stored() if subject is None else snapshot.facts(subject):
        yield fact_line(record.content, record.known_at)


def fact_line(content: bytes, known_at: Instant) -> bytes:
    r"""A fact's content as a row in JSON Lines, with `known_at`.

    >>> fact_line(b'{"kind":"withdrawal"}', 0)
    b'{"kind":"withdrawal","known_at":"1970-01-01T00:00:00.000000+00:00"}\n'
    """
    return b'%b,"known_at":"%b"}\n' % (content[:-1], utc(known_at).encode())
