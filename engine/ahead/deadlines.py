"""What is scheduled, by date, and what follows if nothing is done: each deadline run as if nothing more came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..facts import Fact, having
from ..machine.timeline import Entry, Pending, SubjectRun
from ..model import Rule, Ruleset
from ..speech.outcome import identity
from .acts import Rerun, answering, horizon, known_facts


@dataclass(frozen=True, slots=True)
class Deadline:
    """A fact that is scheduled, and what follows if nothing is done.

    Attributes
    ----------
    subject : str
        The subject.
    fact : Fact
        The fact, at the instant at which it falls due.
    rules : tuple of Rule
        The rules that scheduled it.
    since : Fact
        The fact on which the first of them fired.
    brings : tuple of Entry
        What is concluded in the step in which it falls due, the fact itself apart.
    schedules : tuple of Fact
        What that step schedules in turn.
    answers : tuple of Fact
        What could still come before then that would change it; its instant is that of the run.
    """

    subject: str
    fact: Fact
    rules: tuple[Rule, ...]
    since: Fact
    brings: tuple[Entry, ...]
    schedules: tuple[Fact, ...]
    answers: tuple[Fact, ...]


def deadlines(ruleset: Ruleset, run: SubjectRun, rerun: Rerun) -> list[Deadline]:
    """The deadlines of one subject, by instant (semantics 3).

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run; it was not rejected.
    rerun : callable
        Runs facts of the subject as of an instant.
    """
    if not run.pending:
        return []
    known = known_facts(run)
    ahead = rerun(known, horizon(run))
    if ahead.rejection is not None:
        return [_deadline(pending, None, ahead, ()) for pending in run.pending]
    acts = [act for act in answering(ruleset, run, known, ahead, rerun) if act.answers is not None]
    due = _due(run.pending, ahead)
    found = []
    for pending, entry in zip(run.pending, due, strict=True):
        answers = []
        for act in acts:
            if act.answers == pending.fact and entry is not None:
                after = rerun(having(known, act.fact), pending.fact.at)
                if _of_step(after, pending.fact) != _of_step(ahead, pending.fact):
                    answers.append(act.fact)
        found.append(_deadline(pending, entry, ahead, answers))
    return found


def _due(pending: Sequence[Pending], ahead: SubjectRun) -> Iterator[Entry | None]:
    """For each pending fact the fact that stands when it has fallen due."""
    scheduled = [entry for entry in ahead.entries if entry.scheduled]
    for waiting in pending:
        found = next((entry for entry in scheduled if entry.fact == waiting.fact), None)
        if found is not None:
            scheduled.remove(found)
        yield found


def _of_step(run: SubjectRun, due: Fact) -> list[tuple[object, ...]]:
    steps = {entry.step for entry in run.entries if entry.scheduled and entry.fact == due}
    return [identity(entry) for entry in run.conclusions if entry.step in steps]


def _deadline(pending: Pending, due: Entry | None, ahead: SubjectRun, answers: Sequence[Fact]) -> Deadline:
    brings: list[Entry] = []
    schedules: list[Fact] = []
    if due is not None:
        brings = [entry for entry in ahead.entries if entry.step == due.step and entry is not due]
        later = [(entry.fact, entry.reasons) for entry in ahead.entries if entry.scheduled]
        later += [(other.fact, list(other.reasons)) for other in ahead.pending]
        schedules = [fact for fact, reasons in later if reasons[0].trigger.step == due.step]
    return Deadline(
        subject=ahead.subject,
        fact=pending.fact,
        rules=tuple(dict.fromkeys(reason.rule for reason in pending.reasons)),
        since=pending.reasons[0].trigger.fact,
        brings=tuple(brings),
        schedules=tuple(schedules),
        answers=tuple(answers),
    )
