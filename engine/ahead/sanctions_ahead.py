"""What would bring the next sanction: how many more facts like those before, and the earliest at which they do.

Copies of recent facts are tried, as `more_alike` does it; each that is told was run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from ..facts import DURATION, ID, INTEGER, TIME, Fact, Kind, Value
from ..machine.timeline import Entry, SubjectRun
from ..model import Aggregate, JoinedField, OwnField, Ruleset, TriggerField, rule_expressions, selections, walk
from ..speech.outcome import record, rule_of, to_json
from ..why.answer import Answer
from ..why.questions import check_most
from ..why.tree import Branch
from .act_kinds import harmful_kinds
from .acts import Rerun, horizon, own_id
from .more_alike import MOST_MORE, MoreAlike
from .remedy import AheadRecord, NextSanction
from .tell_remedies import Json, RemedyTeller, about_json, shown

MOST_LIKE = 12
"""How many sorts of facts are copied: those of which there are most, of equal ones the newest."""

MOST_FACTS_RUN = 200_000
"""How many facts are run in all, for a subject of many."""

FEWEST_RUNS = 10
"""How many runs may always be made, of however many facts."""


class _Ahead:
    """The search from one run."""

    def __init__(self, ruleset: Ruleset, run: SubjectRun, rerun: Rerun) -> None:
        self.ruleset, self.run = ruleset, run
        self.runs = max(FEWEST_RUNS, MOST_FACTS_RUN // max(1, len(run.entries)))
        self.alike = MoreAlike(ruleset, run, rerun, lambda entry: bool(entry.fact.kind.effect), self.runs)

    def pending(self) -> tuple[Entry, ...]:
        """The sanctions that what is pending brings if nothing is done."""
        until_due = self.alike.base(horizon(self.run))
        return () if until_due.rejection is not None else self.alike.brought(until_due, self.run)

    def search(self, like: Fact, anyone: bool, most: int, others: int) -> NextSanction | None:
        """The fewest copies that bring a sanction, where so many other facts are still to be copied."""
        more = self.alike.search(like, anyone, most, max(2, self.alike.left // (1 + others)))
        return None if more is None else NextSanction(more.facts, like, anyone, more.brings)

    def likes(self) -> list[tuple[Fact, bool]]:
        """The facts to copy, the newest of each sort; whether their ids are to be new too."""
        harmful, names = harmful_kinds(self.ruleset), _names_that_matter(self.ruleset)
        found: dict[tuple[object, ...], tuple[Fact, bool]] = {}
        numbers: Counter[tuple[object, ...]] = Counter()
        given = [e.fact for e in self.run.entries if e.given and e.fact.kind.index in harmful]
        for fact in reversed(given):
            anyone, same = self._sorts(fact, names)
            if anyone is not None:
                found.setdefault((True, *anyone), (fact, True))
            found.setdefault((False, *same), (fact, False))
            numbers[False, *same] += 1
        specific = sorted((key for key in found if not key[0]), key=lambda key: -numbers[key])[:MOST_LIKE]
        return [*(like for like in found.values() if like[1]), *(found[key] for key in specific)]

    @staticmethod
    def _sorts(fact: Fact, names: frozenset[str]) -> tuple[tuple[object, ...] | None, tuple[object, ...]]:
        own, ids = own_id(fact.kind), False
        anyone: list[object] = [fact.kind.index]
        same: list[object] = [fact.kind.index]
        for slot, field in enumerate(fact.kind.fields):
            if slot == own or field.name not in names or field.type in (TIME, DURATION, INTEGER):
                continue
            same.append(fact.values[slot])
            if field.type == ID and fact.values[slot] is not None:
                ids = True
            else:
                anyone.append(fact.values[slot])
        return tuple(anyone) if ids else None, tuple(same)


def _names_that_matter(ruleset: Ruleset) -> frozenset[str]:
    """The fields by which rules count, join and decide; those that are only handed on are not among them."""
    names: set[str] = set()
    for rule in ruleset.rules:
        handed_on = {id(value) for _, _, d in rule.derivations() for value in d.values if value is not None}
        chosen = [join.selection for join in rule.joins]
        for expression in rule_expressions(rule):
            if id(expression) in handed_on and isinstance(expression, TriggerField | JoinedField):
                continue
            for node in walk(expression):
                if isinstance(node, TriggerField | JoinedField | OwnField):
                    names.add(node.name.rpartition(".")[2])
                elif isinstance(node, Aggregate):
                    chosen += selections(node)
        names |= {selection.kind.fields[slot].name for selection in chosen for slot, _ in selection.by}
    return frozenset(names)


@dataclass(frozen=True, slots=True, repr=False)
class NextSanctions(Answer, AheadRecord):
    """What would bring the next sanction; see `AheadRecord` for what it holds. It is a sequence of `NextSanction`."""

    def branches(self, language: str) -> list[Branch]:
        """The answer as a tree, in `zh` or `en`."""
        return list(RemedyTeller(self.ruleset, language).ahead(self))

    def as_dict(self) -> Json:
        """The answer as JSON has it."""
        ruleset = self.ruleset
        found: Json = about_json(ruleset, self.subject, self.at)
        if self.over is not None:
            found["over"] = shown(ruleset, self.over.fact)
        found["next"] = [
            {
                "add": [shown(ruleset, fact) for fact in sanction.facts],
                "anyone": sanction.anyone,
                "brings": [record(ruleset, entry.fact, rule_of(entry)) for entry in sanction.brings],
            }
            for sanction in self.found
        ]
        found["pending"] = [record(ruleset, entry.fact, rule_of(entry)) for entry in self.pending]
        found["complete"] = self.complete
        return found


def next_sanctions(ruleset: Ruleset, run: SubjectRun, rerun: Rerun, most: int = MOST_MORE) -> NextSanctions:
    """What would bring the next sanction of a subject, each checked by running it.

    Of facts like those before, with the ids that they have, only those of which the fewest bring one are told.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    run : SubjectRun
        The run, as of the instant from which on facts may come; it was not rejected.
    rerun : callable
        Runs facts of the subject as of an instant.
    most : int
        How many more facts are looked at.

    Raises
    ------
    RunError
        Where `most` is no number from 1 on.
    """
    check_most(most)
    end = ruleset.terminal
    over = next((entry for entry in run.entries if end is not None and entry.fact.kind is end), None)
    search = _Ahead(ruleset, run, rerun)
    likes = search.likes() if over is None else []
    pending = search.pending() if over is None else ()
    found: list[NextSanction] = []
    general: dict[tuple[object, ...], int] = {}
    kept: dict[object, int] = {}
    fewest = most
    for number, (like, anyone) in enumerate(likes, 1):
        sanction = search.search(like, anyone, most if anyone else fewest, len(likes) - number)
        if sanction is not None and not anyone:
            fewest = min(fewest, len(sanction.facts))
        brings = () if sanction is None else tuple(entry.fact.kind.index for entry in sanction.brings)
        instants = () if sanction is None else tuple(fact.at for fact in sanction.facts)
        key = (_sort_of(like), instants, brings)
        if anyone and sanction is not None:
            general[key] = len(found)
        elif key in general:
            continue  # Whoever it is, it comes to the same.
        elif not anyone:
            kept[_sort_of(like)] = kept.get(_sort_of(like), 0) + 1
        if sanction is not None:
            found.append(sanction)
    for named, place in general.items():
        if named[0] not in kept:
            found[place] = replace(found[place], whoever=True)
    found = [sanction for sanction in found if sanction.anyone or len(sanction.facts) == fewest]
    found.sort(
        key=lambda s: (
            len(s.facts),
            s.facts[-1].at,
            -s.brings[0].fact.kind.severity,
            [to_json(record(ruleset, fact)) for fact in s.facts],
        )
    )
    return NextSanctions(
        ruleset=ruleset,
        subject=run.subject,
        at=run.as_of,
        over=over,
        found=tuple(found),
        most=most,
        likes=len(likes),
        pending=pending,
        runs=search.runs - search.alike.left,
        complete=not search.alike.cut,
    )


def _sort_of(like: Fact) -> tuple[Kind, tuple[Value, ...]]:
    """What two facts share that differ in ids, times and numbers only."""
    kept = (ID, TIME, DURATION, INTEGER)
    pairs = zip(like.kind.fields, like.values, strict=True)
    return like.kind, tuple(value for field, value in pairs if field.type not in kept)
