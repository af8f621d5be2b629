"""More facts like those before: copies of one, under ids of their own, run until they bring what is looked for.

Copies are run at the instant asked about, and as soon as each window that kept one from counting is over. What is found
is so for that very copy; that nothing else would come sooner is not claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..facts import ID, TIME, Fact, Value, having
from ..machine.timeline import Entry, SubjectRun
from ..model import Ruleset
from ..why.history import History
from ..why.trials import Trials
from .acts import Rerun, conclusions_besides, fresh_id, horizon, known_facts, own_id

MOST_MORE = 3
"""How many more facts are looked at, unless told."""

MOST_INSTANTS = 6
"""At how many instants a copy is tried, each after another window is over."""

MOST_KEPT = 12
"""How many ways to place copies that bring nothing yet are followed further."""


@dataclass(frozen=True, slots=True)
class More:
    """The fewest more facts like one that bring what is looked for, and what they bring, the most severe first."""

    facts: tuple[Fact, ...]
    brings: tuple[Entry, ...]


class MoreAlike:
    """The search from one run.

    Parameters
    ----------
    ruleset, run
        The ruleset, and the run of a subject as of the instant from which on facts may come.
    rerun : callable
        Runs facts of the subject as of an instant.
    wanted : callable
        Whether a conclusion is what is looked for.
    left : int
        How many runs may still be made.

    Attributes
    ----------
    cut : bool
        Whether a search was given up as no run was left.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        run: SubjectRun,
        rerun: Rerun,
        wanted: Callable[[Entry], bool],
        left: int,
    ) -> None:
        self.ruleset, self.run, self.wanted = ruleset, run, wanted
        self.known = known_facts(run)
        self._taken = frozenset(value for fact in self.known for value in fact.values)
        self._rerun, self.left, self.cut = rerun, left, False
        self._bases = {run.as_of: run}

    def rerun(self, facts: Sequence[Fact], at: int) -> SubjectRun:
        """Run facts, and count the run."""
        self.left -= 1
        return self._rerun(facts, at)

    def base(self, at: int) -> SubjectRun:
        """The run without more facts."""
        if not self.run.pending:
            return self.run  # With nothing that falls due, it concludes at any later instant what it does now.
        if at not in self._bases:
            self._bases[at] = self.rerun(self.known, at)
        return self._bases[at]

    def copy(self, like: Fact, at: int, anyone: bool, number: int) -> Fact:
        """A fact like another, at an instant."""
        own, kind = own_id(like.kind), like.kind
        values: list[Value] = []
        for slot, (field, value) in enumerate(zip(kind.fields, like.values, strict=True)):
            if value is not None and (slot == own or (anyone and field.type == ID)):
                ids = fresh_id(self._taken, f"new-{field.name}")
                value = [next(ids) for _ in range(number if slot == own else 1)][-1]
            elif field.type == TIME and isinstance(value, int):
                value += at - like.at
            values.append(value)
        return Fact(kind, at, like.subject, tuple(values), 0, at)

    def search(self, like: Fact, anyone: bool, most: int, runs: int | None = None) -> More | None:
        """The fewest copies that bring what is wanted, and of those the earliest; None, where none is found.

        Parameters
        ----------
        like : Fact
            The fact to copy.
        anyone : bool
            Whether the other ids are new, too.
        most : int
            How many copies are looked at.
        runs : int, optional
            How many runs this search may make; else as many as are left.
        """
        end = 0 if runs is None else max(0, self.left - runs)
        frontier: list[tuple[Fact, ...]] = [()]
        for number in range(1, most + 1):
            found: list[tuple[int, tuple[Fact, ...], tuple[Entry, ...]]] = []
            further: list[tuple[Fact, ...]] = []
            for placed in frontier:
                start = placed[-1].at if placed else self.run.as_of
                for _ in range(MOST_INSTANTS):
                    if self.left <= end:
                        self.cut = True
                        return None
                    more = (*placed, self.copy(like, start, anyone, number))
                    run, brings = self.follow(more)
                    if brings:
                        found.append((start, more, brings))
                        break
                    if run is None:
                        break
                    further.append(more)
                    if self.left <= end:
                        continue
                    later = self.clear_from(run, more)
                    if later is None:
                        break
                    start = later
            if found:
                _, facts, entries = min(found, key=lambda f: (f[0], [fact.at for fact in f[1]]))
                return More(facts, entries)
            frontier = sorted(further, key=lambda facts: [fact.at for fact in facts])[:MOST_KEPT]
        return None

    def follow(self, more: Sequence[Fact]) -> tuple[SubjectRun | None, tuple[Entry, ...]]:
        """The run with more facts, once what they schedule has fallen due, and what is wanted that they bring."""
        facts = having(self.known, *more)
        run = self.rerun(facts, max(fact.at for fact in more))
        if run.rejection is not None:
            return None, ()
        end = horizon(run)
        if end > run.as_of:
            run = self.rerun(facts, end)
            if run.rejection is not None:
                return None, ()
        return run, self.brought(run, self.base(run.as_of))

    def brought(self, run: SubjectRun, besides: SubjectRun) -> tuple[Entry, ...]:
        """What is wanted that a run brings and another does not, the most severe first."""
        new = [entry for entry in conclusions_besides(run, besides) if self.wanted(entry)]
        return tuple(sorted(new, key=lambda entry: (-entry.fact.kind.severity, entry.place)))

    def clear_from(self, run: SubjectRun, more: Sequence[Fact]) -> int | None:
        """The first instant at which a window that the newest fact met is over, or a rule comes into force."""
        history = History(self.ruleset, run)
        trials = Trials(history)
        newest, added = more[-1], set(more)
        steps = {entry.step for entry in run.entries if entry.given and entry.fact in added}
        first = next((entry.step for entry in run.entries if entry.given and entry.fact == newest), None)
        instants: list[int] = []
        for entry in run.entries:
            if first is None or entry.step < first or (entry.given and entry.step not in steps):
                continue
            delay = entry.fact.at - newest.at
            for rule in self.ruleset.rules:
                if entry.fact.kind in rule.triggers:
                    if rule.starts is not None:
                        instants.append(rule.starts - delay)
                    trial = trials.in_short(rule, history.stand(entry))
                    instants += [t.clear_from - delay for t in trial.tallies() if t.clear_from is not None]
        return min((instant for instant in instants if instant > newest.at), default=None)
