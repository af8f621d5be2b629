"""What became of each complaint of a run: it counted, merged into an earlier one, is pending, brought nothing, is void.

The notion is drawn from the ruleset, whatever its vocabulary: a complaint is a fact that may be voided (semantics 6),
and where nothing is voided, one that triggers a rule; of equal ids the one furthest along stands for all. It *counts*
where it brought a conclusion of its own; and *merged* where a rule that asks for what it derives itself, such as
`none(strike within 72h)`, did not fire for no other reason than an earlier conclusion of that kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..facts import ID, Fact, Kind
from ..machine.evaluate import Fault
from ..machine.timeline import Entry, SubjectRun
from ..model import Aggregate, Expression, LetValue, Rule, Ruleset, walk
from ..why.history import History
from ..why.omissions import progress
from ..why.proof import Stand, Term, Trial, inside
from ..why.replay import View, conjuncts
from ..why.trials import Trials


@dataclass(frozen=True, slots=True)
class Roles:
    """Which kinds of fact are complaints, and the fields that say which complaint, by whom, for which right.

    Attributes
    ----------
    kinds : frozenset of int
        The kinds that are complaints, by their index.
    name, complainant, right : str or None
        Fields; None where there is none.
    triggers : frozenset of int
        The kinds that trigger a rule.
    merging : mapping
        By the rule's name, the kinds by which it merges (see `counting`), where there are such.
    """

    kinds: frozenset[int]
    name: str | None
    complainant: str | None
    right: str | None
    triggers: frozenset[int]
    merging: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a complaint.

    Attributes
    ----------
    fact : Fact
        The complaint; of several facts with its id the last that stands.
    entry : Entry or None
        The fact in the run; None where it is void.
    state : str
        `counted`, `merged`, `pending`, `not_counted` or `voided`.
    brought : tuple of Entry
        The conclusions that it triggered, directly or by others.
    into : Fact or None
        What it merged into.
    voided_by : Fact or None
        What voided it.
    rule : Rule or None
        The rule that decided: which it merged by, which did not fire, or which voided it.
    stage, condition : str
        Of what brought nothing: the stage at which the rule stopped (see `proof.Trial`), and the part of its condition
        that failed, as written.
    """

    fact: Fact
    entry: Entry | None
    state: str
    brought: tuple[Entry, ...] = ()
    into: Fact | None = None
    voided_by: Fact | None = None
    rule: Rule | None = None
    stage: str = ""
    condition: str = ""


def roles(ruleset: Ruleset) -> Roles:
    """Which facts of a ruleset are complaints, and their fields.

    Examples
    --------
    >>> import strikeout
    >>> found = roles(strikeout.load("taobao-counterfeit").model)
    >>> found.name, found.complainant, found.right
    ('complaint', 'complainant', 'right')
    """
    targets = [target for rule in ruleset.void_rules for target in rule.voids]
    kinds = {target.kind for target in targets}
    if not kinds:
        kinds = {kind for rule in ruleset.rules for kind in rule.triggers if kind.given}
        named = {kind for kind in kinds if "complainant" in kind.slots}
        kinds = named or kinds
    ordered = sorted(kinds, key=lambda kind: kind.index)
    by = [target.kind.fields[slot].name for target in targets for slot, _ in target.by]
    name = next((field for field in by if _is_id(ordered, field)), None)
    if name is None and any("complaint" in kind.slots for kind in ordered):
        name = "complaint"
    asked = [field for rule in ruleset.rules for field in _keys(rule)]
    ids = [field.name for kind in ordered for field in kind.fields if field.type == ID and field.name != name]
    ids = list(dict.fromkeys(ids))
    ids.sort(key=lambda field: field not in asked)
    complainant = "complainant" if "complainant" in ids else next(iter(ids), None)
    rest = [field for field in ids if field != complainant and (field in asked or field == "right")]
    right = "right" if "right" in rest else next(iter(rest), None)
    return Roles(
        frozenset(kind.index for kind in kinds),
        name,
        complainant,
        right,
        frozenset(kind.index for rule in ruleset.rules for kind in rule.triggers),
        {rule.name: merging for rule in ruleset.rules if (merging := counting(rule))},
    )


def _is_id(kinds: Sequence[Kind], name: str) -> bool:
    return any(field.name == name and field.type == ID for kind in kinds for field in kind.fields)


def _keys(rule: Rule) -> Iterator[str]:
    """The fields by which a rule selects."""
    for expression in _conditions(rule):
        for node in walk(expression):
            if isinstance(node, Aggregate):
                yield from (node.selection.kind.fields[slot].name for slot, _ in node.selection.by)


def _conditions(rule: Rule) -> list[Expression]:
    """What decides whether a rule fires: its condition, with the `let` values."""
    return [*([rule.condition] if rule.condition is not None else []), *(let.value for let in rule.lets)]


def counting(rule: Rule) -> frozenset[int]:
    """The kinds by which a rule merges: those that it derives, and whose presence its condition asks for.

    A `sum`, which caps, is not among the questions; nor is a `let` that the condition does not use.
    """
    if rule.condition is None:
        return frozenset()
    derived = {d.kind.index for _, _, d in rule.derivations() if d.at is None}
    found = set()
    pending, entered = [rule.condition], set()
    while pending:
        for node in walk(pending.pop()):
            if isinstance(node, LetValue) and node.let not in entered:
                entered.add(node.let)
                pending.append(rule.lets[node.let].value)
            if isinstance(node, Aggregate) and node.function != "sum":
                found.add(node.selection.kind.index)
    return frozenset(derived & found)


class Fates:
    """Says of every complaint of a run what became of it.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset of the run.
    run : SubjectRun
        The run, by whichever engine.
    found : Roles
        Which facts are complaints.
    """

    def __init__(self, ruleset: Ruleset, run: SubjectRun, found: Roles) -> None:
        self.ruleset = ruleset
        self.run = run
        self.roles = found
        self._trials: Trials | None = None
        self._following: dict[int, list[Entry]] = {}
        self._fired: dict[int, set[str]] = {}
        self._schedules: set[int] = set()
        for entry in run.entries:
            for reason in entry.reasons:
                self._following.setdefault(reason.trigger.place, []).append(entry)
                self._fired.setdefault(reason.trigger.place, set()).add(reason.rule.name)
        for pending in run.pending:
            for reason in pending.reasons:
                self._schedules.add(reason.trigger.place)
                self._fired.setdefault(reason.trigger.place, set()).add(reason.rule.name)

    def all(self) -> list[Fate]:
        """Every complaint with what became of it, by its instant, then in the order of the run; void ones last."""
        furthest: dict[object, Entry] = {}
        for entry in self.run.entries:
            if entry.fact.kind.index in self.roles.kinds:
                furthest[self._identity(entry.fact)] = entry
        found = [self.of(entry) for entry in furthest.values()]
        gone: dict[object, Fate] = {}
        for void in self.run.voided:
            identity = self._identity(void.fact)
            if void.fact.kind.index in self.roles.kinds and identity not in furthest:
                gone[identity] = Fate(void.fact, None, "voided", voided_by=void.by, rule=void.rule)
        found.extend(gone.values())
        return sorted(found, key=lambda fate: fate.fact.at)

    def _identity(self, fact: Fact) -> object:
        """What makes two facts one complaint: its id, else the fact itself."""
        name = None if self.roles.name is None else fact.get(self.roles.name)
        return id(fact) if name is None else name

    def brought(self, entry: Entry) -> list[Entry]:
        """The conclusions that a fact triggered, directly or by others, in order; mere deadlines are passed over."""
        found: dict[int, Entry] = {}
        pending = [entry]
        while pending:
            for following in self._following.get(pending.pop().place, ()):
                if following.place not in found:
                    found[following.place] = following
                    pending.append(following)
        return [found[place] for place in sorted(found) if not self._is_deadline(found[place])]

    def _is_deadline(self, entry: Entry) -> bool:
        """Whether a fact was scheduled only to try rules when it falls due."""
        return entry.scheduled and not entry.fact.kind.effect and entry.fact.kind.index in self.roles.triggers

    def of(self, entry: Entry) -> Fate:
        """What became of a fact of the run."""
        fact, fired = entry.fact, self._fired.get(entry.place, set())
        brought = tuple(self.brought(entry))
        rules = [rule for rule in self.ruleset.rules if fact.kind in rule.triggers]
        merging = [rule for rule in rules if rule.name in self.roles.merging]
        if not any(rule.name in fired for rule in merging):
            for rule in merging:
                into = self._merged(rule, entry)
                if into is not None:
                    return Fate(fact, entry, "merged", brought, into=into.fact, rule=rule)
        if brought:
            return Fate(fact, entry, "counted", brought)
        places = {entry.place, *(following.place for following in self._following.get(entry.place, ()))}
        if places & self._schedules:
            return Fate(fact, entry, "pending")
        nearest = self._nearest(merging or rules, entry)
        due = self._following.get(entry.place)
        if due and nearest is not None and nearest.stage == "fired":
            # What it scheduled fell due, and brought nothing.
            nearest = self._nearest(
                [rule for rule in self.ruleset.rules if due[-1].fact.kind in rule.triggers], due[-1]
            )
        if nearest is None:
            return Fate(fact, entry, "not_counted")
        condition = nearest.conditions[-1].text if nearest.stage == "condition" else ""
        return Fate(fact, entry, "not_counted", rule=nearest.rule, stage=nearest.stage, condition=condition)

    @property
    def trials(self) -> Trials:
        """The rules tried again."""
        if self._trials is None:
            self._trials = Trials(History(self.ruleset, self.run))
        return self._trials

    def _try(self, rule: Rule, entry: Entry) -> Trial:
        return self.trials.of(rule, self.trials.history.stand(entry), False)

    def _nearest(self, rules: Sequence[Rule], entry: Entry) -> Trial | None:
        """The trial of the rule that came nearest to firing."""
        return max((self._try(rule, entry) for rule in rules), key=progress, default=None)

    def _merged(self, rule: Rule, entry: Entry) -> Stand | None:
        """What a fact merged into: the newest conclusion for whose sake alone a rule did not fire."""
        trial = self._try(rule, entry)
        if trial.stage != "condition":
            return None
        stand = self.trials.history.stand(entry)
        view = View(rule, stand, [j.stand for j in trial.joined if j.stand is not None], {}, False, False)
        found: Stand | None = None
        for part in conjuncts(rule.condition):
            try:
                term = self.trials.replay.term(part, view)
            except Fault:
                return None
            if term.value:
                continue
            earlier = self._asked(term, rule, view)
            if earlier is None:
                return None
            if found is None or earlier.place > found.place:
                found = earlier
        return found

    def _asked(self, term: Term, rule: Rule, view: View) -> Stand | None:
        """The newest conclusion of the rule's own kinds that a part of its condition saw."""
        kinds = self.roles.merging[rule.name]
        numbers = {let.name: number for number, let in enumerate(rule.lets)}
        pending, entered = [term], set()
        found: Stand | None = None
        while pending:
            for inner in inside(pending.pop()):
                if inner.form == "let" and inner.name not in entered:
                    entered.add(inner.name)
                    pending.append(view.lets[numbers[inner.name]])
                tally = inner.tally
                if tally is None or tally.kind.index not in kinds or inner.name == "sum" or not tally.counted:
                    continue
                if found is None or tally.counted[-1].place > found.place:
                    found = tally.counted[-1]
        return found
