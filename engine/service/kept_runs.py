"""Runs that are kept: of short histories as they were made, of long ones going on with the facts that come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from ..facts import Fact
from ..machine.runs import Conclusions
from ..speech.outcome import FOREVER, GOOD_STANDING, Status, active_spans, status_of
from .shelf import Ready
from .texts import array

NEVER_CHANGED = Status(GOOD_STANDING, None)
FROM_THEN_ON = attrgetter("from_then_on")


class KeptRun:
    """What is asked of a run most: its conclusions and what is pending, as text too, and what bears on the status.

    Attributes
    ----------
    as_of : int
        The instant of the run.
    until : int
        The first instant as of which a run may be another.
    derived, pending : sequence of (Fact, Rule)
        The conclusions, and what is pending, in order, each with the rule that derived it first.
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
        "derived",
        "later",
        "pending",
        "rejection",
        "until",
        "used",
        "voided",
    )

    def __init__(self, ready: Ready, as_of: int, told: Conclusions, texts: Sequence[str] | None = None) -> None:
        self._ready = ready
        self.as_of = as_of
        self.derived, self.pending = told.derived, told.pending
        self.rejection = told.rejection
        self.used, self.voided, self.later = told.used, told.voided, len(told.later)
        due = told.pending[0][0].at if told.pending else FOREVER
        self.until = min(due, min(map(FROM_THEN_ON, told.later), default=FOREVER))
        self._bearing = told.bearing
        self._status = (0, 0, NEVER_CHANGED)
        self._facts = None if texts is None else array(texts)
        self._pending: bytes | None = None

    @property
    def size(self) -> int:
        """What it takes of memory, counted in facts."""
        return len(self.derived) + len(self.pending)

    @property
    def facts_text(self) -> bytes:
        """The conclusions as a JSON array, each as `strikeout run --format jsonl` writes it."""
        if self._facts is None:
            self._facts = array(self._ready.texts.facts(self.derived))
        return self._facts

    @property
    def pending_text(self) -> bytes:
        """What is pending as a JSON array."""
        if self._pending is None:
            self._pending = array(self._ready.texts.facts(self.pending))
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
        found = status_of(model, self._bearing, as_of)
        changes = [change for _, *both in active_spans(model, self._bearing) for change in both if change > as_of]
        self._status = as_of, min(changes, default=FOREVER), found
        return found


class Running:
    """The run of a long history, which goes on with the facts that come; used by one thread at a time.

    Attributes
    ----------
    position : int
        The position of the log up to which it knows the subject's facts.
    as_of : int
        The instant up to which it has run.
    whole : bool
        Whether it went on to the end each time; where an error broke it off, it is of no more use.
    """

    __slots__ = ("_later", "_ready", "_run", "_texts", "as_of", "position", "whole")

    def __init__(self, ready: Ready, subject: str) -> None:
        self._ready = ready
        self._run = ready.program.begin(subject)
        self._later: list[Fact] = []
        self._texts: list[str] = []
        self.position, self.as_of, self.whole = 0, -FOREVER, True

    def go_on(self, facts: Iterable[Fact], position: int, as_of: int) -> KeptRun | None:
        """Go on with facts that were not there before, up to an instant not before the last; None if it is rejected."""
        self.whole = False
        known: list[Fact] = []
        later: list[Fact] = []
        for fact in (*self._later, *facts):
            (known if fact.from_then_on <= as_of else later).append(fact)
        self._run.go_on(known, as_of)
        self._later, self.position, self.as_of = later, position, as_of
        told = self._run.conclude(later)
        if told is not None:
            del self._texts[told.unchanged :]
            self._texts += self._ready.texts.facts(told.derived[len(self._texts) :])
        self.whole = True
        if told is None:
            return None
        return KeptRun(self._ready, as_of, told, self._texts)
