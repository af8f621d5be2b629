"""What more would let a rule fire that counts and has not enough: found by running copies of what it counted."""

from __future__ import annotations

from ..facts import Fact, Kind
from ..machine.timeline import Entry, SubjectRun
from ..model import Ruleset
from ..why.proof import Hint, Term, Trial, inside, shortfall
from .acts import Rerun
from .more_alike import MOST_MORE, MoreAlike

MOST_RUNS = 60
"""After how many runs a search ends, for a subject of few facts."""

MOST_FACTS_RUN = 40_000
"""How many facts are run in all, for a subject of many; two runs are always made."""


def hint(ruleset: Ruleset, run: SubjectRun, rerun: Rerun, trial: Trial, kind: Kind) -> Hint | None:
    """What more would let a rule derive a kind, where it counts and has not enough.

    The given fact from which the trial came is copied: first with all that it says but its own id, then with ids that
    are new. What is found was run, and it is by that very rule that the kind then follows.

    Parameters
    ----------
    ruleset, run
        The ruleset, and the run in which the rule was tried.
    rerun : callable
        Runs facts of the subject as of an instant.
    trial : Trial
        The trial that came nearest.
    kind : Kind
        The kind asked about.

    Returns
    -------
    Hint or None
        None, where the rule does not lack a number, or where up to three more facts bring nothing.
    """
    if not _lacks(trial):
        return None
    like = _given_behind(run, trial)
    if like is None:
        return None

    def wanted(entry: Entry) -> bool:
        return entry.fact.kind is kind and any(reason.rule is trial.rule for reason in entry.reasons)

    runs = min(MOST_RUNS, max(2, MOST_FACTS_RUN // max(1, len(run.entries))))
    more_alike = MoreAlike(ruleset, run, rerun, wanted, runs)
    for anyone in (False, True):
        more = more_alike.search(like, anyone, MOST_MORE)
        if more is not None:
            return Hint(like, anyone, more.facts, more.brings[0].fact)
    return None


def _lacks(trial: Trial) -> bool:
    """Whether a trial failed as a number was too small, or a ladder has a step above."""
    if trial.stage in ("ladder", "other-step") and trial.climb is not None:
        now = trial.climb.now.value
        return not isinstance(now, int) or any(threshold > now for threshold in trial.climb.thresholds)
    return trial.stage == "condition" and any(_too_small(term) for term in inside(trial.conditions[-1]))


def _too_small(term: Term) -> bool:
    short = shortfall(term)
    if short is None or term.value is not False or term.parts[0].type.name not in ("integer", "duration"):
        return False
    left, right = (part.value for part in term.parts)
    return term.name in (">=", ">", "==") and isinstance(left, int) and isinstance(right, int) and left <= right


def _given_behind(run: SubjectRun, trial: Trial) -> Fact | None:
    """The given fact from which a trial's trigger came."""
    entry = run.entries[trial.trigger.place]
    while not entry.given:
        entry = entry.reasons[0].trigger
    return entry.fact if entry.fact.kind.given else None
