"""What would undo a sanction: the smallest sets of facts that can still be added and do it, each checked by running it.

A set is looked for one fact after the other. Where a set so far does not reach the goal, only such facts come next as
what stands in the way rests on (`support`); so no set is passed over, and far from all need be run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..facts import Fact, having, merge_duplicates, order_key
from ..ground.problems import RunError, nearest
from ..machine.timeline import SubjectRun
from ..model import Ruleset
from ..speech.outcome import GOOD_STANDING, Record, describe, record, status, to_json
from ..why.answer import Answer
from ..why.questions import Question, not_there
from ..why.support import Support
from ..why.tree import Branch
from .acts import Act, Rerun, answering, horizon, known_facts, voiding
from .goals import Goal, Standing, Undone, severity_of
from .remedy import RemediesRecord, Remedy, Step
from .tell_remedies import Json, RemedyTeller, about_json, shown

MOST_FACTS = 3
"""How many facts a remedy has at most, unless told."""

MOST_RUNS = 20_000
"""How many sets are run at most, unless told."""

Cost = Callable[[Record], float | None] | Mapping[str, float | None] | None
"""What a fact costs: by its record, or by its kind (1 where the kind is not named); None, where it cannot be had."""


def standing(ruleset: Ruleset, facts: Sequence[Fact], at: int, rerun: Rerun) -> SubjectRun:
    """The run of a subject's facts as of an instant.

    Raises
    ------
    RunError
        Where it is rejected.
    """
    run = rerun(merge_duplicates(facts), at)
    if run.rejection is not None:
        raise RunError(describe(run.rejection, ruleset))
    return run


class Remedying:
    """Looks for remedies of one subject as of one instant.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run, as of the instant at which facts can be added.
    rerun : callable
        Runs facts of the subject as of an instant.
    by : int, optional
        The instant up to which the goal must be kept; else that at which the last of what is pending falls due.
    """

    def __init__(self, ruleset: Ruleset, run: SubjectRun, rerun: Rerun, by: int | None = None) -> None:
        self.ruleset, self.run, self.rerun = ruleset, run, rerun
        self.at = run.as_of
        self.by = horizon(run) if by is None else by
        if self.by < self.at:
            raise RunError("what is to be reached lies before the instant at which something can be done")
        self.known = known_facts(run)
        self.ahead = run if self.by == self.at else standing(ruleset, self.known, self.by, rerun)
        self.runs = 0

    def with_facts(self, added: Sequence[Fact]) -> SubjectRun:
        """The run with facts added, as of the last instant that counts."""
        self.runs += 1
        return self.rerun(having(self.known, *added), self.by)

    def acts(self) -> list[Act]:
        """The facts that can be added."""
        voids = voiding(self.ruleset, self.run, self.known, self.rerun)
        until_due = self.ahead if self.by >= horizon(self.run) else self.rerun(self.known, horizon(self.run))
        return [*voids, *answering(self.ruleset, self.run, self.known, until_due, self.rerun)]

    def look(self, goal: Goal, steps: Sequence[Step], acts: Mapping[Fact, Act], most: int, limit: int) -> _Found:
        """The sets of steps that reach a goal, the smallest first.

        Parameters
        ----------
        goal : Goal
            The goal.
        steps : sequence of Step
            What can be done.
        acts : mapping of Fact to Act
            What a step's fact does.
        most : int
            How many steps a set has at most.
        limit : int
            How many sets are run at most.
        """
        everything = frozenset(range(len(steps)))
        does = [acts[step.fact] for step in steps]
        found: list[tuple[frozenset[int], SubjectRun]] = []
        frontier: dict[frozenset[int], SubjectRun] = {frozenset(): self.ahead}
        for size in range(1, most + 1):
            larger: dict[frozenset[int], SubjectRun] = {}
            seen: set[frozenset[int]] = set()
            for chosen, run in frontier.items():
                for step in sorted(self._next(goal, run, does, everything) - chosen):
                    wider = chosen | {step}
                    if wider in seen or any(smaller <= wider for smaller, _ in found):
                        continue
                    if self.runs >= limit:
                        return _Found(found, size - 1)
                    seen.add(wider)
                    after = self.with_facts([steps[number].fact for number in sorted(wider)])
                    if after.rejection is None and goal.obstacle(after) is None:
                        found.append((wider, after))
                    else:
                        larger[wider] = after
            frontier = larger
            if not frontier:
                break
        return _Found(found, most)

    def _next(self, goal: Goal, run: SubjectRun, does: Sequence[Act], everything: frozenset[int]) -> frozenset[int]:
        """Of which steps one must be among any more that reach the goal.

        What is added stands last. It cannot unmake an earlier fact but by voiding what that rests on; else it can only
        bring a fact that ends it.
        """
        if run.rejection is not None:
            return everything
        obstacle = goal.obstacle(run)
        if obstacle is None:
            return frozenset()
        facts = Support(self.ruleset, run).of(obstacle.entries, obstacle.arrivals, obstacle.terminal)
        if facts is None:
            return everything
        open_ended = bool(obstacle.arrivals) or any(entry.fact.at >= self.at for entry in obstacle.entries)
        return frozenset(
            number
            for number, act in enumerate(does)
            if not act.sure or (act.adds and open_ended) or not facts.isdisjoint(act.voids)
        )


@dataclass(frozen=True, slots=True)
class _Found:
    sets: list[tuple[frozenset[int], SubjectRun]]
    exact_to: int


@dataclass(frozen=True, slots=True, repr=False)
class Remedies(Answer, RemediesRecord):
    """The remedies of a subject; see `RemediesRecord` for what it holds. It is a sequence of `Remedy`."""

    def branches(self, language: str) -> list[Branch]:
        """The remedies as a tree, in `zh` or `en`."""
        return list(RemedyTeller(self.ruleset, language).remedies(self))

    def as_dict(self) -> Json:
        """The remedies as JSON has them."""
        ruleset = self.ruleset
        found: Json = about_json(ruleset, self.subject, self.at)
        found["status"], found["ahead"] = self.status.kind, self.ahead.kind
        if self.undone:
            found["undo"] = [shown(ruleset, fact) for fact in self.undone]
        else:
            found["wanted"] = self.wanted
        return {
            **found,
            "by": ruleset.zone.format(self.by),
            "reached": self.reached,
            "remedies": [self._remedy(remedy) for remedy in self.found],
            "exact_to": self.exact_to,
        }

    def _remedy(self, remedy: Remedy) -> Json:
        steps: list[Json] = []
        for step in remedy.steps:
            found: Json = {"add": shown(self.ruleset, step.fact)}
            if step.instead:
                found["instead"] = [shown(self.ruleset, fact) for fact in step.instead]
            if step.voids:
                found["voids"] = [shown(self.ruleset, fact) for fact in step.voids]
            if step.answers is not None:
                found["before"] = shown(self.ruleset, step.answers)
            steps.append(found)
        return {"steps": steps, "cost": remedy.cost, "status": remedy.status.kind}


def remedies(
    ruleset: Ruleset,
    run: SubjectRun,
    rerun: Rerun,
    *,
    wanted: str = GOOD_STANDING,
    undo: Mapping[str, object] | str | None = None,
    by: int | None = None,
    cost: Cost = None,
    most: int = MOST_FACTS,
    limit: int = MOST_RUNS,
) -> Remedies:
    """The remedies of a subject: every smallest set of facts that reaches a goal, up to a size.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run, as of the instant at which facts can be added; it was not rejected.
    rerun : callable
        Runs facts of the subject as of an instant.
    wanted : str
        The status wanted; a less severe one will do.
    undo : mapping or str, optional
        The conclusions to undo, as `Outcome.why` takes them; then no status is wanted.
    by : int, optional
        The instant at which the goal must be reached, in microseconds since 1970 UTC. Without it, the goal must be
        reached at once and kept until the last of what is pending falls due.
    cost : callable or mapping, optional
        What a fact costs; 1 unless told.
    most : int
        How many facts a remedy has at most.
    limit : int
        How many sets are run at most.

    Raises
    ------
    RunError
        Where status, conclusion, costs or sizes make no sense.
    """
    if most < 1:
        raise RunError("a remedy has at least one fact")
    work = Remedying(ruleset, run, rerun, by)
    goal: Goal
    undone: tuple[Fact, ...] = ()
    if undo is None:
        goal = Standing(ruleset, severity_of(ruleset, wanted), work.at if by is None else work.by)
    else:
        question = Question.of(ruleset, undo)
        entries = question.among(ruleset, work.ahead)
        if not entries:
            raise not_there(ruleset, run, question)
        goal = Undone.of(entries, work.ahead)
        wanted, undone = "", goal.targets
    price = _price(ruleset, cost)
    acts = work.acts()
    steps = _steps(ruleset, acts, price)
    reached = goal.obstacle(work.ahead) is None
    outcome = _Found([], most) if reached else work.look(goal, steps, {act.fact: act for act in acts}, most, limit)
    found = []
    for chosen, after in outcome.sets:
        taken = tuple(steps[number] for number in sorted(chosen))
        found.append(Remedy(taken, sum(step.cost for step in taken), status(ruleset, after)))
    found.sort(key=lambda remedy: (remedy.cost, len(remedy.steps), [_text(ruleset, f) for f in remedy.facts]))
    return Remedies(
        ruleset=ruleset,
        subject=run.subject,
        at=work.at,
        by=work.by,
        asked=by is not None,
        status=status(ruleset, run),
        ahead=status(ruleset, work.ahead),
        wanted=wanted,
        undone=undone,
        reached=reached,
        found=tuple(found),
        acts=sum(1 + len(step.instead) for step in steps),
        runs=work.runs,
        most=most,
        exact_to=outcome.exact_to,
    )


def _price(ruleset: Ruleset, cost: Cost) -> Callable[[Fact], float | None]:
    """What a fact costs; None, where it cannot be had."""
    if isinstance(cost, Mapping):
        for name in cost:
            if name not in ruleset.kinds_by_name:
                hint = nearest(name, ruleset.kinds_by_name)
                raise RunError(f"`{name}` in the costs is no kind of `{ruleset.name}`" + (f"; {hint}" if hint else ""))

    def price(fact: Fact) -> float | None:
        value: Any = 1
        if isinstance(cost, Mapping):
            value = cost.get(fact.kind.name, 1)
        elif cost is not None:
            value = cost(record(ruleset, fact))
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0):
            raise RunError(f"the cost of a `{fact.kind.name}` is `{value}`; expected a number from 0 on, or nothing")
        return value

    return price


def _steps(ruleset: Ruleset, acts: Sequence[Act], price: Callable[[Fact], float | None]) -> list[Step]:
    """What can be done: facts that do the same are one step, whose fact is the cheapest."""
    groups: dict[object, list[tuple[float, int, str, Act]]] = {}
    for number, act in enumerate(acts):
        cost = price(act.fact)
        if cost is not None:
            same: object = act.voids if act.sure and not act.adds else number
            text = _text(ruleset, act.fact)
            groups.setdefault(same, []).append((cost, act.fact.kind.index, text, act))
    steps = []
    for group in groups.values():
        group.sort(key=lambda priced: priced[:3])
        cost, _, _, act = group[0]
        voids = tuple(sorted(act.voids, key=order_key))
        steps.append(Step(act.fact, tuple(other.fact for _, _, _, other in group[1:]), voids, act.answers, cost))
    return sorted(steps, key=lambda step: _text(ruleset, step.fact))


def _text(ruleset: Ruleset, fact: Fact) -> str:
    return to_json(record(ruleset, fact))
