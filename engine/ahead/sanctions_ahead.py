"""What would bring the next sanction: how many more facts like those before, and the earliest at which they do.

Copies of recent facts, under ids of their own, are run at the instant asked about, and as soon as each window that kept
one from counting is over. What is found is so for that very copy; that nothing else would come sooner is not claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..facts import DURATION, ID, INTEGER, TIME, Fact, Kind, Value, merge_duplicates
from ..machine.timeline import Entry, SubjectRun
from ..model import Aggregate, JoinedField, OwnField, Ruleset, TriggerField, rule_expressions, selections, walk
from ..speech.outcome import record, rule_of, to_json
from ..why.history import History
from ..why.tree import draw, to_html
from ..why.trials import Trials
from .act_kinds import harmful_kinds
from .acts import Rerun, conclusions_besides, fresh_id, horizon, known_facts, own_id
from .remedy import AheadRecord, NextSanction
from .tell_remedies import Json, RemedyTeller, about_json, shown

MOST_MORE = 3
"""How many more facts are looked at, unless told."""

MOST_LIKE = 12
"""How many sorts of facts are copied: those of which there are most, of equal ones the newest."""

MOST_INSTANTS = 6
"""At how many instants a copy is tried, each after another window is over."""

MOST_KEPT = 12
"""How many ways to place copies that bring no sanction yet are followed further."""


class _Ahead:
    """The search from one run."""

    def __init__(self, ruleset: Ruleset, run: SubjectRun, rerun: Rerun) -> None:
        self.ruleset, self.run, self.rerun = ruleset, run, rerun
        self.known = known_facts(run)
        self.bases: dict[int, SubjectRun] = {}

    def base(self, at: int) -> SubjectRun:
        """The run without more facts."""
        if at not in self.bases:
            self.bases[at] = self.rerun(self.known, at)
        return self.bases[at]

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

    def copy(self, like: Fact, at: int, anyone: bool, number: int) -> Fact:
        """A fact like another, at an instant."""
        own, kind = own_id(like.kind), like.kind
        values: list[Value] = []
        for slot, (field, value) in enumerate(zip(kind.fields, like.values, strict=True)):
            if value is not None and (slot == own or (anyone and field.type == ID)):
                ids = fresh_id(self.known, f"new-{field.name}")
                value = [next(ids) for _ in range(number if slot == own else 1)][-1]
            elif field.type == TIME and isinstance(value, int):
                value += at - like.at
            values.append(value)
        return Fact(kind, at, like.subject, tuple(values), 0, at)

    def search(self, like: Fact, anyone: bool, most: int) -> NextSanction | None:
        """The fewest copies that bring a sanction, and of those the earliest."""
        frontier: list[tuple[Fact, ...]] = [()]
        for number in range(1, most + 1):
            found: list[tuple[int, tuple[Fact, ...], tuple[Entry, ...]]] = []
            further: list[tuple[Fact, ...]] = []
            for placed in frontier:
                start = placed[-1].at if placed else self.run.as_of
                for _ in range(MOST_INSTANTS):
                    more = (*placed, self.copy(like, start, anyone, number))
                    run, brings = self.follow(more)
                    if brings:
                        found.append((start, more, brings))
                        break
                    if run is None:
                        break
                    further.append(more)
                    later = self.clear_from(run, more)
                    if later is None:
                        break
                    start = later
            if found:
                _, facts, sanctions = min(found, key=lambda f: (f[0], [fact.at for fact in f[1]]))
                return NextSanction(facts, like, anyone, sanctions)
            frontier = sorted(further, key=lambda facts: [fact.at for fact in facts])[:MOST_KEPT]
        return None

    def follow(self, more: Sequence[Fact]) -> tuple[SubjectRun | None, tuple[Entry, ...]]:
        """The run with more facts, once what they schedule has fallen due, and the sanctions that they bring."""
        facts = merge_duplicates([*self.known, *more])
        run = self.rerun(facts, max(fact.at for fact in more))
        if run.rejection is not None:
            return None, ()
        end = horizon(run)
        if end > run.as_of:
            run = self.rerun(facts, end)
            if run.rejection is not None:
                return None, ()
        new = [entry for entry in conclusions_besides(run, self.base(run.as_of)) if entry.fact.kind.effect]
        return run, tuple(sorted(new, key=lambda entry: (-entry.fact.kind.severity, entry.place)))

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


@dataclass(frozen=True, slots=True)
class NextSanctions(AheadRecord):
    """What would bring the next sanction; see `AheadRecord` for what it holds. It is a sequence of `NextSanction`."""

    def text(self, language: str = "en", width: int = 100) -> str:
        """The answer as lines, in `zh` or `en`, so many columns wide."""
        return draw(list(RemedyTeller(self.ruleset, language).ahead(self)), width)

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
        return found

    def _repr_html_(self) -> str:
        return to_html(list(RemedyTeller(self.ruleset, "en").ahead(self)), "en")

    def __str__(self) -> str:
        return self.text()


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
    """
    end = ruleset.terminal
    over = next((entry for entry in run.entries if end is not None and entry.fact.kind is end), None)
    search = _Ahead(ruleset, run, rerun)
    likes = search.likes() if over is None else []
    found: list[NextSanction] = []
    general: dict[tuple[object, ...], int] = {}
    kept: dict[object, int] = {}
    fewest = most
    for like, anyone in likes:
        sanction = search.search(like, anyone, most if anyone else fewest)
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
    return NextSanctions(ruleset, run.subject, run.as_of, over, tuple(found), most, len(likes))


def _sort_of(like: Fact) -> tuple[Kind, tuple[Value, ...]]:
    """What two facts share that differ in ids, times and numbers only."""
    kept = (ID, TIME, DURATION, INTEGER)
    pairs = zip(like.kind.fields, like.values, strict=True)
    return like.kind, tuple(value for field, value in pairs if field.type not in kept)
