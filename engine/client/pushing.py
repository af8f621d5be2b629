"""Files of facts into a log: all rows are checked first, then sent in batches, each with keys made of its content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO

from ..facts import Fact
from ..ground.problems import FactError, StrikeoutError
from ..log.bundle import Bundle, model_of
from ..log.rows import content_of
from ..model import Ruleset
from ..reach.files import MOST_SHOWN, BadRow, Rows, listed
from ..reach.writing import refusals
from ..rows import Binder
from .calls import Blocking
from .of_facts import append_lines
from .of_rulesets import bundle

BATCH = 1_000
"""How many facts are sent at once."""
MOST_BYTES = 8 << 20
"""How many bytes are sent at once, unless one fact alone has more."""

BETWEEN_REPORTS = 4_096
"""After how many facts that were checked progress is reported."""

KNOWN_AT = "the row says its `known_at`, which the log sets itself"

Report = Callable[[int, int], None]
"""Takes word of progress: how much is done, and of how much (0 where that is not known)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of the facts of a push: how many were appended, how many the log had, up to which position."""

    appended: int = 0
    before: int = 0
    position: int = 0


def stopped(done: int, given: int, why: str = "") -> str:
    """How far a push came that ended before its end, and how to go on."""
    return (
        f"stopped after {done:,} of {given:,} facts{why}\n"
        "push again to go on: what the log has is not appended a second time"
    )


class PushStopped(StrikeoutError):
    """A push that ended before its end.

    Attributes
    ----------
    pushed : Pushed
        What was acknowledged; it is in the log, and stays there.
    """

    def __init__(self, error: StrikeoutError, pushed: Pushed, given: int) -> None:
        self.pushed = pushed
        super().__init__(stopped(pushed.appended + pushed.before, given, f": {error}"))


def ruleset_of(client: Blocking, log: str) -> Ruleset:
    """The ruleset that is in force in a log, made of the texts that the service has of it.

    Raises
    ------
    StrikeoutError
        Where the service gives none, or it cannot be used here.
    """
    return model_of(Bundle.read(client.send(bundle(log))))


class Staged:
    """Facts that were read and checked, as they will be sent: on the disk, in a file that is gone with the process.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset in force, by which rows are checked.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self.facts = 0
        self.bad_rows = 0
        self._ruleset = ruleset
        with refusals("what is to be sent to the disk"):
            self._file: IO[bytes] = tempfile.TemporaryFile(prefix="strikeout-")  # noqa: SIM115

    def __enter__(self) -> Staged:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def take(self, rows: Rows, refuse: Callable[[BadRow], None] | None, report: Report) -> None:
        """Read and check all rows; none is sent.

        Parameters
        ----------
        rows : Rows
            The files.
        refuse : callable or None
            Takes the bad rows; without it, they are an error.
        report : callable
            Takes word of progress, in bytes read.

        Raises
        ------
        FactError
            Where files cannot be read, or rows are bad; the first are listed.
        RunError
            Where there is no room for them on the disk.
        """
        bad: list[str] = []
        binder = Binder(self._ruleset, rows.ignore_columns)
        rows.check(binder)
        for found in rows.bind(binder):
            if not isinstance(found, BadRow):
                file, number, bound = found
                fact = Fact(*bound)
                if fact.known_at == fact.at:
                    self._put(fact)
                    if not self.facts % BETWEEN_REPORTS:
                        report(*rows.progress())
                    continue
                found = BadRow(rows.place(file, number), KNOWN_AT, json.loads(content_of(self._ruleset, fact)))
            self.bad_rows += 1
            if refuse is not None:
                refuse(found)
            elif len(bad) < MOST_SHOWN:
                bad.append(str(found))
        if bad:
            raise FactError(listed(bad, self.bad_rows, self.facts + self.bad_rows))
        with refusals("what is to be sent to the disk"):
            self._file.flush()

    def _put(self, fact: Fact) -> None:
        content = content_of(self._ruleset, fact)
        key = hashlib.sha256(content).hexdigest()
        with refusals("what is to be sent to the disk"):
            self._file.write(b'{"key":"sha256:%b","fact":%b}\n' % (key.encode(), content))
        self.facts += 1

    def batches(self, size: int) -> Iterator[list[bytes]]:
        """The facts as lines of JSON, so many at once, in the order of the files."""
        batch: list[bytes] = []
        held = 0
        self._file.seek(0)
        for line in self._file:
            if batch and (len(batch) == size or held + len(line) > MOST_BYTES):
                yield batch
                batch, held = [], 0
            batch.append(line)
            held += len(line)
        if batch:
            yield batch


def push(client: Blocking, log: str, staged: Staged, batch: int, report: Report) -> Pushed:
    """Send facts that were checked, batch after batch, each all or nothing.

    Parameters
    ----------
    client : Blocking
        The client.
    log : str
        The log.
    staged : Staged
        The facts.
    batch : int
        How many facts are sent at once.
    report : callable
        Takes word of progress, in facts.

    Raises
    ------
    StrikeoutError
        Where the service refused the first batch, or gave no answer.
    PushStopped
        Where that happened later.
    """
    pushed = Pushed()
    for lines in staged.batches(batch):
        try:
            receipts = client.send(append_lines(log, b"".join(lines), len(lines)))
        except StrikeoutError as error:
            if pushed == Pushed():
                raise
            raise PushStopped(error, pushed, staged.facts) from None
        before = sum(receipt.duplicate for receipt in receipts)
        pushed = Pushed(
            pushed.appended + len(receipts) - before,
            pushed.before + before,
            max(pushed.position, *(receipt.position for receipt in receipts)),
        )
        report(pushed.appended + pushed.before, staged.facts)
    return pushed
