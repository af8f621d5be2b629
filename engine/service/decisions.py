"""Decisions: what is read of the log for one answer, and what the answer says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from .. import log as logs
from ..api import Outcome
from ..facts import INTEGER, Fact, merge_duplicates
from ..ground.problems import shorten
from ..machine.timeline import SubjectRun, run_subject
from ..rows import BadCell, Binder
from ..speech.outcome import FOREVER, describe, record
from . import types
from .histories import Histories, History
from .kept_runs import KeptRun
from .problems import Refusal, safe
from .shelf import Ready, Shelf

MOST_AT_ONCE = 100
"""How many facts are read, and how many are run, where others wait for it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer has read: the ruleset in force, the subject's facts, and as of when.

    Attributes
    ----------
    log : str
        The log.
    ready : Ready
        The ruleset in force at `as_of`, as known at `known`.
    subject : str
        The subject.
    history : History
        Its facts.
    as_of, known : int
        The instants, in microseconds since 1970 UTC.
    position : int
        The last position of the log that was read.
    stored : bool
        Whether the facts are those of the log.
    """

    log: str
    ready: Ready
    subject: str
    history: History
    as_of: int
    known: int
    position: int
    stored: bool = True

    def about(self) -> dict[str, Any]:
        """What every answer says of itself."""
        zone = self.ready.ruleset.model.zone
        return {
            "subject": self.subject,
            "as_of": zone.format(self.as_of),
            "known": zone.format(self.known),
            "position": self.position,
            "ruleset": self.ready.ref,
        }


class Decider:
    """Reads the log and decides.

    Parameters
    ----------
    database : strikeout.log.Database
        Where the logs lie.
    shelf : Shelf
        The rulesets.
    histories : Histories
        What is kept of subjects.
    """

    def __init__(self, database: logs.Database, shelf: Shelf, histories: Histories) -> None:
        self.database, self.shelf, self.histories = database, shelf, histories
        self._zones: dict[str, str] = {}
        self._newest: dict[str, str] = {}

    def log(self, name: str) -> logs.Log:
        """The log of a name."""
        return self.database.log(name)

    def newest(self, log: logs.Log) -> Ready:
        """The ruleset that is in force last: every fact that another of the log takes, it takes.

        Raises
        ------
        Refusal
            Where none ever was.
        """
        with log.snapshot(0, FOREVER) as snapshot:  # Nothing is asked of the clock, which then need not go on.
            return self.newest_of(snapshot)

    def newest_of(self, snapshot: logs.Snapshot) -> Ready:
        """The same, in a snapshot."""
        if not snapshot.activations:
            raise Refusal("not-in-force", "no ruleset was ever activated for this log: activate one first")
        return self.shelf.ready(max(snapshot.activations, key=lambda a: (a.from_, a.position)).bundle)

    def instant(self, log: logs.Log, name: str, text: str | None) -> int | None:
        """An instant that a request names; without an offset it is local to the log's rulesets.

        Raises
        ------
        Refusal
            Where it is none.
        """
        if text is None:
            return None
        hash_ = self._zones.get(log.name)
        if hash_ is None:
            hash_ = self._zones[log.name] = self.newest(log).hash
        return instant_of(self.shelf.ready(hash_).binder, name, text)

    @contextmanager
    def snapshot(self, log: logs.Log, as_of: str | None, known: str | None) -> Iterator[logs.Snapshot]:
        """A snapshot of a log, as of and as known at instants that a request names."""
        at, knowing = self.instant(log, "as_of", as_of), self.instant(log, "known", known)
        with log.snapshot(at, knowing) as snapshot:
            yield snapshot

    def read(self, name: str, subject: str, as_of: str | None, known: str | None) -> Reading:
        """What the log has of a subject, in one snapshot.

        Raises
        ------
        LogError
            Where log or database cannot be read, or no ruleset is in force.
        Refusal
            Where an instant is none.
        """
        log = self.log(name)
        with self.snapshot(log, as_of, known) as snapshot:
            ready = self.shelf.ready(snapshot.in_force().bundle)
            if as_of is None and known is None:
                self._newest[name] = ready.hash
            history = self.histories.at(name, snapshot, ready, subject)
            return Reading(name, ready, subject, history, snapshot.as_of, snapshot.known, snapshot.position)

    def glance(self, name: str, subject: str) -> Reading | None:
        """The same as of now, where it takes no waiting and little reading; else None."""
        hash_ = self._newest.get(name)
        if hash_ is None:
            return None
        before = self.histories.kept(name, hash_, subject)
        found = self.log(name).glance(subject, before.position, MOST_AT_ONCE)
        if found is None or found.ruleset.bundle != hash_:
            return None
        ready = self.shelf.ready(hash_)
        history = self.histories.after(name, ready, subject, before, found.facts)
        return Reading(name, ready, subject, history, found.as_of, found.as_of, found.position)

    def given(
        self, name: str, subject: str | None, rows: Sequence[Mapping[str, object]], as_of: str | None, known: str | None
    ) -> Reading:
        """Facts that a request brings, under the ruleset in force.

        Raises
        ------
        Refusal
            Where a fact cannot be used, or they are of several subjects.
        """
        log = self.log(name)
        with self.snapshot(log, as_of, known) as snapshot:
            ready = self.shelf.ready(snapshot.in_force().bundle)
            instants = snapshot.as_of, snapshot.known, snapshot.position
        facts = facts_of(ready.binder, rows, "/facts", subject)
        named = sorted({fact.subject for fact in facts})
        if subject is None:
            if not named:
                raise Refusal("invalid", "say which `subject`, or give its `facts`")
            subject = named[0]
        if any(other != subject for other in named):
            whom = ready.ruleset.model.subject
            raise Refusal("facts", f"the facts are of several {whom}s; ask about one at a time")
        history = History(0, merge_duplicates(facts), len(facts), 0)
        return Reading(name, ready, subject, history, *instants, stored=False)

    def kept(self, reading: Reading) -> KeptRun:
        """The run of what was read.

        Raises
        ------
        Refusal
            Where the subject's run was rejected.
        """
        if reading.stored:
            found = self.histories.run(
                reading.log, reading.ready, reading.subject, reading.history, reading.as_of, reading.known
            )
        else:
            ready, facts = reading.ready, reading.history.facts
            found = KeptRun(ready, reading.as_of, ready.program.conclude(reading.subject, facts, reading.as_of))
        if found.rejection is not None:
            raise rejected(reading.ready, found.rejection)
        return found

    def kept_quickly(self, reading: Reading) -> KeptRun | None:
        """The same, where the last run still holds or the facts are few; else None.

        Raises
        ------
        Refusal
            Where the subject's run was rejected.
        """
        history = reading.history
        return self.kept(reading) if history.holds(reading.as_of) or len(history.facts) <= MOST_AT_ONCE else None

    @staticmethod
    def run(reading: Reading) -> SubjectRun:
        """The whole run of what was read, made anew."""
        return run_subject(reading.ready.program, reading.subject, reading.history.facts, reading.as_of)

    @staticmethod
    def outcome(reading: Reading) -> Outcome:
        """What was read as an outcome, which can be asked everything."""
        facts = {reading.subject: reading.history.facts} if reading.history.facts else {}
        ruleset, program = reading.ready.ruleset, reading.ready.program
        return Outcome(ruleset, program, facts, reading.as_of, reading.history.given)


class Encoded(msgspec.Struct, kw_only=True):
    """A decision whose parts are text already; its members are those of `types.Decision`."""

    subject: str
    as_of: str
    known: str
    position: int
    ruleset: types.RulesetRef
    status: str
    since: str | None
    facts: msgspec.Raw
    pending: msgspec.Raw
    counts: types.Counts
    what_if: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_encode = msgspec.json.Encoder().encode


def decision(reading: Reading, found: KeptRun, what_if: bytes | None = None) -> bytes:
    """A decision as the wire has it."""
    zone = reading.ready.ruleset.model.zone
    status = found.status(reading.as_of)
    history = reading.history
    return _encode(
        Encoded(
            **reading.about(),
            status=status.kind,
            since=None if status.since is None else zone.format(status.since),
            facts=msgspec.Raw(found.facts_text),
            pending=msgspec.Raw(found.pending_text),
            counts=types.Counts(
                given=history.given,
                used=found.used,
                duplicates=history.given - history.unknown - len(history.facts),
                voided=found.voided,
                later=found.later,
                unknown=history.unknown,
            ),
            what_if=msgspec.UNSET if what_if is None else msgspec.Raw(what_if),
        )
    )


def standing(reading: Reading, found: KeptRun) -> types.Standing:
    """How the subject of a reading stands; kinds and fields in the order of their declaration."""
    model = reading.ready.ruleset.model
    status = found.status(reading.as_of)
    counts: Counter[int] = Counter()
    sums: Counter[tuple[int, int]] = Counter()
    for fact, _ in found.derived:
        kind = fact.kind
        counts[kind.index] += 1
        for slot, field in enumerate(kind.fields):
            value = fact.values[slot]
            if field.type == INTEGER and value is not None:
                sums[kind.index, slot] += int(value)
    kinds = model.kinds
    return types.Standing(
        **reading.about(),
        status=status.kind,
        since=None if status.since is None else model.zone.format(status.since),
        counts={kinds[index].name: counts[index] for index in sorted(counts)},
        sums={f"{kinds[kind].name}.{kinds[kind].fields[slot].name}": sums[kind, slot] for kind, slot in sorted(sums)},
        pending=[record(model, fact, rule.name) for fact, rule in found.pending],
    )


def rejected(ready: Ready, rejection: Any) -> Refusal:
    """What to say of a subject whose run was rejected (semantics 11): rule, fact and place."""
    model = ready.ruleset.model
    span = rejection.span
    fault = types.Fault(
        detail=safe(f"rule `{rejection.rule.name}`: {rejection.message}"),
        code=rejection.code,
        file=safe(shorten(span.source.name, 300)),
        line=span.line,
        column=span.column,
    )
    return Refusal("rejected", safe(describe(rejection, model)), [fault])


def instant_of(binder: Binder, name: str, text: str) -> int | None:
    """An instant of a query or body; a plus sign that a query made a space is put back.

    Raises
    ------
    Refusal
        Where it is none.
    """
    if len(text) > 6 and text[-6] == " " and "T" in text:
        text = f"{text[:-6]}+{text[-5:]}"
    try:
        found = binder.instant(name, text)
    except BadCell as error:
        raise Refusal("bad-request", safe(f"`{name}`: {error.expected}")) from None
    if found is None:
        raise Refusal("bad-request", f"`{name}`: expected a time, such as `2015-01-05` or `2015-01-05T09:30:00+08:00`")
    return found


def facts_of(
    binder: Binder, rows: Sequence[Mapping[str, object]], pointer: str, subject: str | None = None
) -> list[Fact]:
    """The facts that rows of a body give.

    Raises
    ------
    Refusal
        With every row that gives none: its place, and why.
    """
    facts: list[Fact] = []
    errors: list[types.Fault] = []
    for index, row in enumerate(rows):
        try:
            facts.append(binder.fact(row, subject))
        except BadCell as error:
            errors.append(bad_cell(error, index, f"{pointer}/{index}"))
    if errors:
        raise bad_facts(errors, len(rows))
    return facts


def bad_cell(error: BadCell, index: int, pointer: str) -> types.Fault:
    """What is wrong with a cell, and where it stands in the body."""
    column = error.column.replace("~", "~0").replace("/", "~1")
    return types.Fault(detail=safe(str(error)), index=index, pointer=safe(f"{pointer}/{column}" if column else pointer))


def bad_facts(errors: Sequence[types.Fault], number: int) -> Refusal:
    """That some of the facts of a body cannot be used."""
    what = f"{len(errors):,} of {number:,} facts cannot be used" if number > 1 else errors[0].detail
    return Refusal("facts", what, errors)


def timed(
    check: Callable[[], None], rerun: Callable[[Sequence[Fact], int], SubjectRun]
) -> Callable[[Sequence[Fact], int], SubjectRun]:
    """Runs of a subject, before each of which is checked that there is time for it."""

    def run(facts: Sequence[Fact], as_of: int) -> SubjectRun:
        check()
        return rerun(facts, as_of)

    return run
