"""What is otherwise in a second outcome: conclusions, status and what is pending, with reasons on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..facts import Fact
from ..ground.problems import RunError, nearest, shorten
from ..machine.timeline import Entry, Pending, SubjectRun
from ..model import Ruleset
from ..speech.outcome import Record, Status, describe, record, status
from ..why.explanation import Explainer, Proof
from ..why.questions import Question

Json = dict[str, Any]
Found = TypeVar("Found", Entry, Pending)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two outcomes of a subject: the ruleset, and the run; none, where the subject has no facts."""

    ruleset: Ruleset
    run: SubjectRun | None

    @property
    def standing(self) -> SubjectRun | None:
        """The run, where it was not rejected."""
        return None if self.run is None or self.run.rejection is not None else self.run

    @property
    def status(self) -> Status | None:
        """The status; none where there is no run, or a rejected one."""
        run = self.standing
        return None if run is None else status(self.ruleset, run)

    @property
    def rejected(self) -> str:
        """Why the run was rejected; nothing, where it was not."""
        if self.run is None or self.run.rejection is None:
            return ""
        return describe(self.run.rejection, self.ruleset)


@dataclass(frozen=True, slots=True)
class SubjectDifference:
    """What is otherwise for one subject.

    Attributes
    ----------
    subject : str
        The subject.
    before, after : Side
        The two outcomes.
    gained, lost : tuple of Entry
        The conclusions that only the second, and only the first, has; equal ones by number (semantics 8).
    pending_gained, pending_lost : tuple of Pending
        The same of what is pending.
    """

    subject: str
    before: Side
    after: Side
    gained: tuple[Entry, ...]
    lost: tuple[Entry, ...]
    pending_gained: tuple[Pending, ...]
    pending_lost: tuple[Pending, ...]

    @property
    def changed(self) -> bool:
        """Whether anything is otherwise."""
        lists = (self.gained, self.lost, self.pending_gained, self.pending_lost)
        return any(lists) or self.before.status != self.after.status or self.before.rejected != self.after.rejected

    def as_dict(self) -> Json:
        """The difference as JSON has it."""
        found: Json = {self.after.ruleset.subject: self.subject}
        for name, side in (("before", self.before), ("after", self.after)):
            state: Json = {"status": None if side.status is None else side.status.kind}
            if side.status is not None and side.status.since is not None:
                state["since"] = side.ruleset.zone.format(side.status.since)
            if side.rejected:
                state["rejected"] = side.rejected
            found[name] = state
        found["gained"] = [_record(self.after, entry) for entry in self.gained]
        found["lost"] = [_record(self.before, entry) for entry in self.lost]
        found["pending_gained"] = [_record(self.after, pending) for pending in self.pending_gained]
        found["pending_lost"] = [_record(self.before, pending) for pending in self.pending_lost]
        return found


def _record(side: Side, found: Entry | Pending) -> Record:
    return record(side.ruleset, found.fact, found.reasons[0].rule.name)


def differ(subject: str, before: Side, after: Side) -> SubjectDifference:
    """What is otherwise for a subject in a second outcome.

    Parameters
    ----------
    subject : str
        The subject.
    before, after : Side
        The outcomes; they may be of different rulesets.
    """
    one, other = before.standing, after.standing
    conclusions = [() if run is None else run.conclusions for run in (one, other)]
    pending = [() if run is None else run.pending for run in (one, other)]
    return SubjectDifference(
        subject,
        before,
        after,
        gained=tuple(_besides(conclusions[1], conclusions[0])),
        lost=tuple(_besides(conclusions[0], conclusions[1])),
        pending_gained=tuple(_besides(pending[1], pending[0])),
        pending_lost=tuple(_besides(pending[0], pending[1])),
    )


def _besides(these: Sequence[Found], those: Sequence[Found]) -> Iterator[Found]:
    """The first without the second, equal ones by number."""
    left = Counter(_named(found) for found in those)
    for found in these:
        key = _named(found)
        if left[key] > 0:
            left[key] -= 1
        else:
            yield found


def _named(found: Entry | Pending) -> tuple[object, ...]:
    """What makes two conclusions the same, also of two rulesets: kind, instant, fields and rule."""
    return (*same_fact(found.fact), found.reasons[0].rule.name)


def same_fact(fact: Fact) -> tuple[object, ...]:
    """What makes two facts of a subject the same, also of two rulesets: kind, instant and fields."""
    fields = zip(fact.kind.fields, fact.values, strict=True)
    return fact.kind.name, fact.at, frozenset((field.name, value) for field, value in fields if value is not None)


@dataclass(frozen=True, slots=True)
class Changes:
    """What was supposed: facts added and removed, parameters set, another ruleset's name."""

    added: tuple[Fact, ...] = ()
    removed: tuple[Fact, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    against: str = ""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.settings or self.against)


@dataclass(frozen=True, slots=True)
class DifferenceRecord:
    """What is otherwise in a second outcome.

    Attributes
    ----------
    before, after : strikeout.model.Ruleset
        The rulesets.
    instants : tuple of int and int
        The instants of the two outcomes.
    changes : Changes
        What was supposed.
    subjects : tuple of SubjectDifference
        The subjects for which something is otherwise, by code point.
    total : int
        How many subjects there are in both together.
    """

    before: Ruleset
    after: Ruleset
    instants: tuple[int, int]
    changes: Changes
    subjects: tuple[SubjectDifference, ...]
    total: int

    def of(self, subject: str) -> SubjectDifference:
        """The difference of one subject.

        Raises
        ------
        RunError
            Where nothing is otherwise for it.
        """
        for found in self.subjects:
            if found.subject == subject:
                return found
        hint = nearest(subject, [found.subject for found in self.subjects])
        message = f"nothing changes for the {self.after.subject} `{shorten(subject, 60)}`"
        raise RunError(message + (f"; {hint}" if hint else ""))

    def why(
        self, fact: Mapping[str, object] | str, subject: str | None = None, side: str | None = None, most: int = 50
    ) -> Proof:
        """Why a conclusion that is otherwise stands in the outcome that has it.

        Parameters
        ----------
        fact : mapping or str
            A record, or a text `KIND` or `KIND@AT`, as `Outcome.why` takes it.
        subject : str, optional
            The subject, where several have such a conclusion.
        side : str, optional
            `before` or `after`; else the second outcome where the conclusion is gained, the first where it is lost.
        most : int
            How many derived facts are explained.

        Raises
        ------
        RunError
            Where no such conclusion is otherwise.
        """
        if side not in (None, "before", "after"):
            raise RunError(f"`{side}` is no side; known are `before` and `after`")
        for which, model in (("after", self.after), ("before", self.before)):
            if side not in (None, which):
                continue
            question = Question.of(model, fact)
            for found in self.subjects:
                if found.subject not in (subject or question.subject or found.subject,):
                    continue
                changed = found.gained if which == "after" else found.lost
                run = (found.after if which == "after" else found.before).standing
                entries = [entry for entry in changed if question.matches(model, entry)]
                if entries and run is not None:
                    return Explainer(model, run).why(entries, most)
        raise RunError(f"{Question.of(self.after, fact).describe(self.after)} is among nothing that changes")

    def as_dict(self) -> Json:
        """The difference as JSON has it."""
        changes, zone = self.changes, self.after.zone
        supposed: Json = {}
        if changes.added:
            supposed["add"] = [record(self.after, fact) for fact in changes.added]
        if changes.removed:
            supposed["remove"] = [record(self.before, fact) for fact in changes.removed]
        if changes.settings:
            supposed["set"] = dict(changes.settings)
        if changes.against:
            supposed["against"] = changes.against
        return {
            "before": {"ruleset": self.before.name, "as_of": zone.format(self.instants[0])},
            "after": {"ruleset": self.after.name, "as_of": zone.format(self.instants[1])},
            "what_if": supposed,
            "subjects": self.total,
            "changed": [found.as_dict() for found in self.subjects],
        }
