"""Runs over more facts than memory holds, in two passes: all facts are read and checked, then each subject is run.

Memory grows with the largest subject, not with the number of facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from ..facts import Fact, merge_duplicates
from ..ground.problems import FactError
from ..machine.timeline import Program, Rejection, SubjectRun, run_subject
from ..model import Ruleset
from ..rows import Binder
from ..speech.outcome import Record, Summary, record
from .files import MOST_SHOWN, BadRow, Place, Rows, listed
from .spool import BUDGET, Spool

BETWEEN_REPORTS = 4_096
"""After how many rows progress is reported."""

Report = Callable[[str, int, int], None]
"""Takes word of progress: `read` or `run`, how much is done, and of how much (0 where that is not known)."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class RefusedFact:
    """A fact of a subject whose run was rejected, and where it came from."""

    place: Place
    fact: Fact
    rejection: Rejection


class Intake:
    """Facts that were read and checked, grouped by subject on the disk; made by `take_in`.

    Attributes
    ----------
    as_of : int or None
        The instant of the run, in microseconds since 1970 UTC (semantics 3); None where there is no fact to tell it.
    summary : Summary
        What became of every fact; complete once `runs` has ended.
    bad_rows : int
        How many rows were bad.
    """

    def __init__(self, ruleset: Ruleset, rows: Rows, subject: str | None, budget: int) -> None:
        self.as_of: int | None = None
        self.summary = Summary()
        self.bad_rows = 0
        self._ruleset = ruleset
        self._rows = rows
        self._subject = subject
        self._spool = Spool(budget)

    def __enter__(self) -> Intake:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the disk."""
        self._spool.close()

    def facts(self) -> Iterator[tuple[str, list[Fact], list[Place]]]:
        """Each subject by code point, its facts in the order of semantics 2, and where each of them was read."""
        for subject, facts, records in self._facts():
            yield subject, facts, self._places(subject, facts, records)

    def _facts(self) -> Iterator[tuple[str, list[Fact], list[bytes]]]:
        """Each subject by code point, its facts without duplicates, and what was read of them."""
        for subject, records in self._spool.groups():
            if self._subject is None or subject == self._subject:
                facts = [self._fact(subject, r) for r in records]
                yield subject, facts if len(facts) == 1 else merge_duplicates(facts), records

    def runs(
        self, program: Program, refused: Callable[[RefusedFact], None] | None = None, report: Report | None = None
    ) -> Iterator[SubjectRun]:
        """The run of each subject, by code point; to be called once.

        Parameters
        ----------
        program : Program
            The ruleset, made ready by an engine.
        refused : callable, optional
            Takes each fact of a subject whose run is rejected, before that run is given.
        report : callable, optional
            Takes word of progress, in facts.
        """
        done = 0
        for subject, facts, records in self._facts():
            run = run_subject(program, subject, facts, self.as_of or 0)
            self.summary.duplicates += len(records) - len(facts)
            self.summary.add_run(run, len(facts))
            if run.rejection is not None and refused is not None:
                for fact, place in zip(facts, self._places(subject, facts, records), strict=True):
                    refused(RefusedFact(place, fact, run.rejection))
            done += len(records)
            if report is not None:
                report("run", done, self.summary.given - self.bad_rows)
            yield run

    def _read(self, binder: Binder, as_of: int | None, refuse: Callable[[BadRow], None] | None, report: Report) -> None:
        """The first pass."""
        found: list[str] = []
        latest_at = latest_known = -(2**63)
        only, add, summary = self._subject, self._spool.add, self.summary
        number = 0
        for item in self._rows.bind(binder):
            number += 1
            if number % BETWEEN_REPORTS == 0:
                report("read", *self._rows.progress())
            if isinstance(item, BadRow):
                self.bad_rows += 1
                if refuse is not None:
                    refuse(item)
                elif len(found) < MOST_SHOWN:
                    found.append(str(item))
                continue
            file, line, (kind, at, subject, values, seq, known_at) = item
            if only is None or subject == only:
                summary.given += 1
            elif as_of is not None:
                continue
            if at > latest_at:
                latest_at = at
            if known_at > latest_known:
                latest_known = known_at
            if refuse is not None or not found:
                add(subject, _encode((kind.index, at, seq, known_at, values, file, line)))
        summary.given += self.bad_rows
        summary.rejected += self.bad_rows
        if found:
            raise FactError(listed(found, self.bad_rows, number))
        if as_of is not None:
            self.as_of = as_of
        elif latest_known > latest_at:
            self.as_of = self._latest(latest_at)
        elif number > self.bad_rows:
            self.as_of = latest_at

    def _latest(self, latest_at: int) -> int:
        """The latest `at` or `known_at`, of equal facts the earliest `known_at` (semantics 2, 3)."""
        found = latest_at
        for subject, records in self._spool.groups():
            facts = [self._fact(subject, r) for r in records]
            if any(fact.known_at > found for fact in facts):
                found = max(found, *(fact.known_at for fact in merge_duplicates(facts)))
        return found

    def _fact(self, subject: str, encoded: bytes) -> Fact:
        kind, at, seq, known_at, values, _, _ = _decode(encoded)
        return Fact(self._ruleset.kinds[kind], at, subject, tuple(values), seq, known_at)

    def _places(self, subject: str, facts: list[Fact], records: list[bytes]) -> list[Place]:
        """Where each fact of a subject was first read."""
        first: dict[tuple[object, ...], Place] = {}
        for encoded in records:
            *_, file, line = _decode(encoded)
            first.setdefault(_identity(self._fact(subject, encoded)), self._rows.place(file, line))
        return [first[_identity(fact)] for fact in facts]


def take_in(
    ruleset: Ruleset,
    rows: Rows,
    *,
    as_of: int | None = None,
    subject: str | None = None,
    refuse: Callable[[BadRow], None] | None = None,
    report: Report | None = None,
    budget: int = BUDGET,
) -> Intake:
    r"""Read and check all facts: the first pass. The answer is to be closed, or used by `with`.

    Parameters
    ----------
    ruleset : Ruleset
        Whose kinds the facts are of.
    rows : Rows
        The files.
    as_of : int, optional
        The instant of the run, in microseconds since 1970 UTC; else the latest of the facts (semantics 3).
    subject : str, optional
        The only subject to keep and to count; the instant is that of all.
    refuse : callable, optional
        Takes each bad row; without it, bad rows are an error.
    report : callable, optional
        Takes word of progress, in bytes.
    budget : int
        How many bytes of facts to keep in memory, roughly; the rest is on the disk.

    Raises
    ------
    FactError
        Where a file cannot be read; and, without `refuse`, where rows are bad, with the first twenty.
    RunError
        Where the disk is full, or what reads a file is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import strikeout
    >>> ruleset = strikeout.load("taobao-counterfeit")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "facts.csv"
    ...     _ = path.write_text("kind,at,seller,complaint\nwithdrawal,2015-01-05,xiaoming,c1\n")
    ...     with take_in(ruleset.model, strikeout.read(path)) as intake:
    ...         [run.subject for run in intake.runs(ruleset.program("compiled"))]
    ['xiaoming']
    """
    binder = Binder(ruleset, rows.ignore_columns)
    rows.check(binder)
    intake = Intake(ruleset, rows, subject, budget)
    try:
        intake._read(binder, as_of, refuse, report or _silently)
    except BaseException:
        intake.close()
        raise
    return intake


def as_row(ruleset: Ruleset, fact: Fact) -> Record:
    """A fact as a row of a file, from which it can be read again."""
    found = record(ruleset, fact)
    if fact.known_at != fact.at:
        found["known_at"] = ruleset.zone.format(fact.known_at)
    if fact.seq:
        found["seq"] = fact.seq
    return found


def _silently(what: str, done: int, total: int) -> None:
    """Take word of progress, and say nothing."""


def _identity(fact: Fact) -> tuple[object, ...]:
    """What makes two facts of one subject the same (semantics 2)."""
    return fact.kind.index, fact.at, fact.seq, fact.values
