"""The meaning of a ruleset on a page or two: the judge of every engine.

It is naive on purpose: every aggregate is computed anew by scanning all facts. "semantics 5" names the section that
the code shows. Of the library only what every engine starts from is used: the model, facts, and the arithmetic of
time zones and calendars. Strata and readings are computed here from the rules themselves; `Rule.stratum`,
`Rule.backward` and the order of `Ruleset.rules` are not looked at.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from strikeout import model as m
from strikeout.facts import Fact, Kind, Type, Value
from strikeout.ground.problems import Span
from strikeout.ground.values import ArithmeticFault, Period, add_period, format_duration, window_start


class Failure(Exception):
    """What rejects a subject's run (semantics 11): `overflow`, `calendar`, `past`, `missing` or `steps`."""


@dataclass
class Entry:
    """A fact where it stands: its step, and its reasons (rule, trigger) in order; a given fact has none."""

    fact: Fact
    step: int
    reasons: list[tuple[str, Fact]] = field(default_factory=list)


@dataclass
class SubjectRun:
    """All that a run says of one subject.

    `standing` are the facts in order, given and derived; `pending` what is scheduled after T, by instant; `voided`
    says of a fact what voids it first, fact and rule; `fault` is code, rule and trigger.
    """

    subject: str
    as_of: int
    standing: list[Entry] = field(default_factory=list)
    pending: list[Entry] = field(default_factory=list)
    voided: dict[Fact, tuple[Fact, str]] = field(default_factory=dict)
    later: list[Fact] = field(default_factory=list)
    fault: tuple[str, str, Fact] | None = None

    @property
    def conclusions(self) -> list[Entry]:
        """What was derived or fell due, in output order."""
        return [entry for entry in self.standing if entry.reasons]


def run(ruleset: m.Ruleset, facts: Sequence[Fact], as_of: int | None = None) -> dict[str, SubjectRun]:
    """Run every subject alone, in order of code points, all as of one instant (semantics 1)."""
    given, as_of = accept(ruleset, facts, as_of)
    return {subject: run_subject(ruleset, subject, given[subject], as_of) for subject in sorted(given)}


def accept(ruleset: m.Ruleset, facts: Sequence[Fact], as_of: int | None) -> tuple[dict[str, list[Fact]], int]:
    """The set of facts of each subject, in order, and T (semantics 2, 3)."""
    unique: dict[tuple[object, ...], Fact] = {}
    for fact in facts:  # Equal in kind, `at`, `seq`, subject and fields: one fact, known at the earliest.
        key = (fact.kind.index, fact.at, fact.seq, fact.subject, fact.values)
        if key not in unique or fact.known_at < unique[key].known_at:
            unique[key] = fact
    given: dict[str, list[Fact]] = {}
    for fact in sorted(unique.values(), key=lambda f: (f.at, f.seq, f.kind.index, _by_declaration(f))):
        given.setdefault(fact.subject, []).append(fact)
    if as_of is None:  # The latest `at` or `known_at`, all subjects together.
        as_of = max((max(fact.at, fact.known_at) for fact in unique.values()), default=0)
    return given, as_of


def _by_declaration(fact: Fact) -> list[tuple[bool, Any]]:
    """Missing last, ids and text by code point, enums as declared, false before true."""
    typed = [(f.type, v) for f, v in zip(fact.kind.fields, fact.values, strict=True)]
    return [(v is None, t.members.index(str(v)) if t.members and v is not None else v) for t, v in typed]


def run_subject(ruleset: m.Ruleset, subject: str, given: Sequence[Fact], as_of: int) -> SubjectRun:
    """One subject's run as of T: voids first, then step by step; a fault rejects it (semantics 3, 6, 11)."""
    used = [fact for fact in given if fact.at <= as_of and fact.known_at <= as_of]
    result = SubjectRun(subject, as_of, later=[fact for fact in given if fact not in used])
    world = World(ruleset)
    try:
        result.voided = world.void(used)
        world.play([fact for fact in used if fact not in result.voided], as_of)
        result.standing, result.pending = world.standing, sorted(world.waiting, key=lambda e: e.fact.at)
    except (Failure, ArithmeticFault) as error:
        code = str(error) if isinstance(error, Failure) else "overflow"
        result.fault, result.voided = (code, *world.trying), {}
    return result


@lru_cache(maxsize=4)
def order_rules(ruleset: m.Ruleset) -> tuple[list[m.Rule], dict[m.Rule, set[int]]]:
    """The rules in the order of a step, and the kinds that each reads backward (semantics 5)."""
    rules = [rule for rule in (*ruleset.rules, *ruleset.void_rules) if not rule.voids]
    triggers = {rule: {kind.index for kind in rule.triggers} for rule in rules}
    derives = {rule: {d.kind.index for _, _, d in rule.derivations() if d.at is None} for rule in rules}
    reads = {rule: {selection.kind.index for selection in _selections(rule)} for rule in rules}

    def reach(start: object, extra: dict[m.Rule, set[int]]) -> set[object]:
        """What paths lead to: trigger kind -> rule, rule -> kind derived now, and the extra kind -> rule."""
        found: set[object] = set()
        new = [start]
        while new:
            node = new.pop()
            ahead = (
                derives[node]
                if isinstance(node, m.Rule)
                else [r for r in rules if node in triggers[r] or node in extra.get(r, ())]
            )
            new += [n for n in ahead if n not in found]
            found.update(ahead)
        return found

    forward = {r: {k for k in reads[r] if r in reach(k, {})} for r in rules}
    backward = {r: {k for k in reads[r] - forward[r] if k in reach(r, {})} for r in rules}
    neutral = {r: reads[r] - forward[r] - backward[r] for r in rules}
    for r in rules:  # With the neutral reads as edges, those on a circle are backward, the others forward.
        circular = {k for k in neutral[r] if k in reach(r, neutral)}
        backward[r] |= circular
        forward[r] |= neutral[r] - circular

    waits = {r: [q for q in rules if derives[q] & (triggers[r] | forward[r])] for r in rules}
    strata: dict[m.Rule, int] = {}

    def stratum(r: m.Rule) -> int:
        """The length of the longest chain of rules that it must wait for."""
        if r not in strata:
            strata[r] = max((stratum(q) + 1 for q in waits[r]), default=0)
        return strata[r]

    return sorted(rules, key=lambda r: (stratum(r), r.name)), backward


def _selections(part: object) -> Iterator[m.Selection]:
    """Every selection anywhere in a rule: of aggregates, of `since`, of `with`."""
    if isinstance(part, m.Selection):
        yield part
    if isinstance(part, tuple):
        for one in part:
            yield from _selections(one)
    elif is_dataclass(part) and not isinstance(part, (Kind, Type, Span)):
        for f in fields(part):
            yield from _selections(getattr(part, f.name))


class World:
    """One subject's facts as they stand, and the steps that make them."""

    def __init__(self, ruleset: m.Ruleset) -> None:
        self.ruleset = ruleset
        self.rules, self.backward = order_rules(ruleset)
        self.standing: list[Entry] = []
        self.waiting: list[Entry] = []
        self.step = 0
        self.trying: tuple[str, Fact]

    def void(self, used: list[Fact]) -> dict[Fact, tuple[Fact, str]]:
        """The input facts that no longer hold: decided first, over input facts alone (semantics 6)."""
        found: dict[Fact, tuple[Fact, str]] = {}
        for self.step, trigger in enumerate(used):  # What conditions read: the input facts up to the trigger.
            self.standing.append(Entry(trigger, self.step))
            for rule in sorted((*self.ruleset.rules, *self.ruleset.void_rules), key=lambda r: r.name):
                if not rule.voids or trigger.kind not in rule.triggers:
                    continue
                self.trying = rule.name, trigger
                trial = Trial(self, rule, trigger)
                for target in rule.voids if trial.holds() else ():
                    keys = [(slot, trial.value(key)) for slot, key in target.by]
                    for fact in used:
                        if fact.kind is target.kind and fact.at <= trigger.at and _agrees(fact, keys):
                            found.setdefault(fact, (trigger, rule.name))
        self.standing = []
        return found

    def play(self, inputs: list[Fact], as_of: int) -> None:
        """Take what is given and what falls due, one step each (semantics 4)."""
        ahead, due, ended, self.step = list(inputs), 0, False, 0
        while True:
            self.waiting.sort(key=lambda entry: entry.fact.at)  # Of one instant: as they were scheduled.
            instant = ahead[0].at if ahead else as_of
            if self.waiting and self.waiting[0].fact.at <= instant:  # Before the inputs of the instant.
                brought, due = self.waiting.pop(0), due + 1
                if due > 1000 + 1000 * len(inputs):  # semantics 11
                    self.trying = brought.reasons[0][0], brought.fact
                    raise Failure("steps")
            elif ahead:
                brought = Entry(ahead.pop(0), 0)
            else:
                return
            brought.step = self.step = self.step + 1
            self.standing.append(brought)
            if not ended:  # After the step of a terminal fact no rule fires (semantics 7).
                self.fire(brought)
            terminal = self.ruleset.terminal
            ended = ended or any(e.fact.kind is terminal for e in self.standing if e.step == self.step)

    def fire(self, brought: Entry) -> None:
        """Run the rules inside one step, each for every fact of its `when` kinds, in order (semantics 5)."""
        scheduled: list[Entry] = []
        for rule in self.rules:
            here = [e.fact for e in self.standing if e.step == self.step and e.fact.kind in rule.triggers]
            for trigger in here:
                self.trying = rule.name, trigger
                trial = Trial(self, rule, trigger)
                derivations = trial.consequences() if trial.holds() else None
                for derivation in derivations or ():
                    fact = trial.derived(derivation)
                    derived = [e for e in self.standing if e.step == self.step and e is not brought]
                    alike = scheduled if derivation.at else derived
                    same = [e for e in alike if e.fact == fact]
                    if same:  # The same fact, with one more reason.
                        same[0].reasons.append(self.trying)
                    else:
                        (scheduled if derivation.at else self.standing).append(Entry(fact, self.step, [self.trying]))
                if rule.ladder and derivations is not None:  # Once a step.
                    break
        self.waiting += scheduled


def _agrees(fact: Fact, keys: list[tuple[int, Any]]) -> bool:
    """Whether fields equal keys; what is missing equals nothing (language 4)."""
    return all(key is not None and _slot(fact, slot) == key for slot, key in keys)


def _slot(fact: Fact, slot: int | None) -> Any:
    return fact.at if slot is None or slot < 0 else fact.values[slot]


class Trial:
    """One rule tried for one trigger; its conditions and values (language 3, 4)."""

    def __init__(self, world: World, rule: m.Rule, trigger: Fact) -> None:
        self.world, self.rule, self.trigger, self.now = world, rule, trigger, trigger.at
        self.zone, self.calendar = world.ruleset.zone, world.ruleset.calendar
        self.backward = world.backward.get(rule, set())
        self.joined: list[Fact] = []
        self.lets: dict[tuple[int, bool], Any] = {}
        self.earlier = False  # Every aggregate sees earlier steps only: the `before` of a ladder.

    def holds(self) -> bool:
        """Whether the rule holds at the trigger: `from`, `until`, then each join, then `if` (language 3)."""
        starts, ends = self.rule.starts, self.rule.ends
        if (starts is not None and self.now < starts) or (ends is not None and self.now >= ends):
            return False
        for join in self.rule.joins:
            found = self.select(join.selection)
            if not found:
                return False
            self.joined.append(found[-1].fact)  # The newest.
        return self.rule.condition is None or self.value(self.rule.condition) is True

    def consequences(self) -> Sequence[m.Derivation] | None:
        """What follows: `then`, or the highest ladder step s with before < s <= now (semantics 5)."""
        if self.rule.ladder is None:
            return self.rule.then
        self.earlier = True
        before = self.value(self.rule.ladder.of)
        self.earlier = False
        now = self.value(self.rule.ladder.of)
        crossed = [  # Missing is below every step.
            derivations
            for threshold, derivations in self.rule.ladder.steps
            if (before is None or before < threshold) and now is not None and threshold <= now
        ]
        return crossed[-1] if crossed else None

    def derived(self, derivation: m.Derivation) -> Fact:
        """The fact that a derivation makes: its fields in order, then its instant (language 3)."""
        values: list[Value] = []
        for f, expression in zip(derivation.kind.fields, derivation.values, strict=True):
            value = None if expression is None else self.value(expression)
            values.append(f.default if value is None else value)
            if f.required and values[-1] is None:
                raise Failure("missing")
        at = self.now if derivation.at is None else self.value(derivation.at)
        if at is None:
            raise Failure("missing")
        if at < self.now:
            raise Failure("past")
        return Fact(derivation.kind, at, self.trigger.subject, tuple(values), 0, at)

    def select(self, selection: m.Selection) -> list[Entry]:
        """The facts of a selection: those it sees (semantics 5), `where`, `by` (language 4), in order."""
        past_only = self.earlier or selection.kind.index in self.backward
        chosen = [e for e in self.world.standing if e.fact.kind is selection.kind]
        chosen = [e for e in chosen if not past_only or e.step < self.world.step]
        if selection.where is not None:
            chosen = [e for e in chosen if self.value(selection.where, e.fact) is True]
        keys = [(slot, self.value(key)) for slot, key in selection.by]
        return [e for e in chosen if _agrees(e.fact, keys)]

    def window(self, window: m.Window, chosen: list[Entry]) -> list[Entry]:
        """Those of the selected facts that lie in the window (language 4)."""
        if isinstance(window, m.Since):  # From the step of the newest such fact on; without one, all.
            newest = self.select(window.selection)[-1:]
            return [e for e in chosen if not newest or e.step >= newest[0].step]
        if isinstance(window, m.This):  # The same local calendar period.
            length = ("year", "month", "day").index(window.unit) + 1
            return [e for e in chosen if self.local(e.fact.at)[:length] == self.local(self.now)[:length]]
        if window is None:
            return chosen
        back = self.value(window.length)
        if back is None:
            return []
        if isinstance(back, Period) and back.unit == "dates":  # Compares local dates.
            first = self.zone.date(self.now) - back.count + (0 if window.inclusive else 1)
            return [e for e in chosen if self.zone.date(e.fact.at) >= first]
        start = window_start(self.zone, self.now, back) + (0 if window.inclusive else 1)
        return [e for e in chosen if e.fact.at >= start]

    def local(self, instant: int) -> tuple[int, int, int]:
        """Year, month and day of the local date."""
        local = date(1970, 1, 1) + timedelta(self.zone.date(instant))
        return local.year, local.month, local.day

    def aggregate(self, a: m.Aggregate) -> Any:
        """An aggregate over what its selection and window hold (language 4)."""
        chosen = self.window(a.window, self.select(a.selection))
        taken = [_slot(e.fact, a.slot) for e in chosen]
        known = [value for value in taken if value is not None]
        if a.function in ("count", "any", "none"):
            return {"count": len(chosen), "any": bool(chosen), "none": not chosen}[a.function]
        if a.function == "sum":  # Only the total can overflow.
            return _checked(sum(known))
        if a.function in ("first", "last"):  # The field as it is.
            return taken[0 if a.function == "first" else -1] if taken else None
        return min(known, default=None) if a.function == "min" else max(known, default=None)

    def value(self, e: m.Expression, own: Fact | None = None) -> Any:
        """The value of an expression, `None` where missing; `own` is what `where` looks at (language 4)."""
        match e:
            case m.Literal():
                return e.value
            case m.Now():
                return self.now
            case m.SubjectName():
                return self.trigger.subject
            case m.TriggerField():
                return _slot(self.trigger, dict(e.slots)[self.trigger.kind.index])
            case m.JoinedField():
                return _slot(self.joined[e.join], e.slot)
            case m.OwnField():
                return None if own is None else _slot(own, e.slot)
            case m.ParameterValue():  # The newest value in force at the step (language 5).
                parameter = self.world.ruleset.parameters[e.parameter]
                dated = sorted(parameter.dated, key=lambda d: d[0])
                if not dated:
                    return parameter.value
                return next((value for start, value in reversed(dated) if start <= self.now), None)
            case m.LetValue():
                if (e.let, self.earlier) not in self.lets:
                    self.lets[e.let, self.earlier] = self.value(self.rule.lets[e.let].value)
                return self.lets[e.let, self.earlier]
            case m.Aggregate():
                return self.aggregate(e)
            case m.Choice():  # From the top, and only what is needed; a missing condition is false.
                for condition, value in e.branches:
                    if condition is None or self.value(condition, own) is True:
                        return self.value(value, own)
                return None
            case m.Logic():  # From the left, and only what is needed.
                if e.operator == "not":
                    return self.value(e.operands[0], own) is not True
                decisive = e.operator == "or"
                for operand in e.operands:
                    if (self.value(operand, own) is True) == decisive:
                        return decisive
                return not decisive
            case m.Operation():
                return self.operate(e, [self.value(operand, own) for operand in e.operands])

    def operate(self, e: m.Operation, operands: list[Any]) -> Any:
        """An operator or function on the values of its operands (language 4, semantics 10)."""
        name, a, b = e.operator, operands[0], operands[-1]
        if name == "known":
            return a is not None
        if name == "coalesce":
            return next((value for value in operands if value is not None), None)
        if None in operands:  # Any comparison is false, any arithmetic missing.
            return False if name in COMPARE else None
        if name in COMPARE:
            return COMPARE[name](a, operands[1:] if "in" in name else b)
        if name in ("min", "max"):
            return min(operands) if name == "min" else max(operands)
        if name in ("day", "month", "year"):
            begin = {"day": "start_of_day", "month": "start_of_month", "year": "start_of_year"}[name]
            return getattr(self.zone, begin)(a)
        if name in ("//", "%"):  # They floor; by zero is missing.
            return None if b == 0 else _checked(a // b if name == "//" else a % b)
        if isinstance(b, Period):
            try:
                return add_period(self.zone, self.calendar, a, b, 1 if name == "+" else -1)
            except ArithmeticFault:
                raise Failure("calendar" if b.unit == "workdays" else "overflow") from None
        if name in ("neg", "abs"):
            return _checked(-a if name == "neg" or a < 0 else a)
        result = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}[name]()
        return self.zone.checked_instant(result) if e.type.name == "time" else _checked(result)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, items: value in items,
    "not in": lambda value, items: value not in items,
}


def _checked(number: int) -> int:
    """Exact on 64-bit integers (semantics 10)."""
    if not -(2**63) <= number < 2**63:
        raise Failure("overflow")
    return number


Change = tuple[int, str, Fact, str]
"""One line of a journal: when it became known, `+` or `-`, the conclusion's fact and its rule."""


def journal(ruleset: m.Ruleset, facts: Sequence[Fact], as_of: int | None = None) -> dict[str, list[Change]]:
    """What each subject's run has as of an instant and had not just before, and the reverse (semantics 8)."""
    given, until = accept(ruleset, facts, as_of)
    journals: dict[str, list[Change]] = {}
    for subject in sorted(given):
        changes = journals[subject] = []
        instants = {max(fact.at, fact.known_at) for fact in given[subject]}
        while instants and min(instants) <= until:
            instant = min(instants)
            after = run_subject(ruleset, subject, given[subject], instant)
            had = _listed(run_subject(ruleset, subject, given[subject], instant - 1))
            has = _listed(after)
            changes += [(instant, "-", *c) for c in _without(had, has)]  # `-` before `+`, in output order.
            changes += [(instant, "+", *c) for c in _without(has, had)]
            instants = {i for i in instants if i > instant} | {entry.fact.at for entry in after.pending}
    return journals


def _listed(result: SubjectRun) -> list[tuple[Fact, str]]:
    """Conclusions as subject, kind, `at`, fields and rule: the first reason in rule order."""
    return [(entry.fact, entry.reasons[0][0]) for entry in result.conclusions]


def _without(these: list[tuple[Fact, str]], those: list[tuple[Fact, str]]) -> list[tuple[Fact, str]]:
    """These less those; equal ones count by number, and the last of them are what is left."""
    left, result = Counter(those), []
    for one in these:
        left[one] -= 1
        if left[one] < 0:
            result.append(one)
    return result


def status(ruleset: m.Ruleset, result: SubjectRun) -> tuple[str, int | None]:
    """The status at T of the run as of T, and since when it holds, if it ever changed (semantics 9)."""

    def at(instant: int) -> str:
        active: list[Kind] = []
        stood = [entry.fact for entry in result.standing if entry.fact.at <= instant]
        for place, fact in enumerate(stood):
            over = fact.kind.effect == "interval" and instant >= _slot(fact, fact.kind.slots["until"])
            if fact.kind.effect and not over and not any(_ends(later, fact) for later in stood[place + 1 :]):
                active.append(fact.kind)
        return min(active, key=lambda k: (-k.severity, k.index)).name if active else "good-standing"

    instants = {entry.fact.at for entry in result.standing}
    for entry in result.standing:
        if entry.fact.kind.effect == "interval":
            instants.add(max(entry.fact.at, _slot(entry.fact, entry.fact.kind.slots["until"])))
    now, since = "good-standing", None
    for instant in sorted(i for i in instants if i <= result.as_of):
        if at(instant) != now:
            now, since = at(instant), instant
    return now, since


def _ends(later: Fact, fact: Fact) -> bool:
    ends = later.kind.ends
    return (
        ends is not None
        and ends.kind == fact.kind.index
        and all(later.values[own] is not None and later.values[own] == fact.values[other] for other, own in ends.slots)
    )


def as_jsonl_records(ruleset: m.Ruleset, results: dict[str, SubjectRun]) -> list[dict[str, Value]]:
    """One record a derived fact, by subject, step and the order inside it (contract, `--format jsonl`)."""

    def shown(type_: Type, value: Any) -> Value:
        if type_.name == "time":
            return ruleset.zone.format(value)
        return format_duration(value) if type_.name == "duration" else value

    records = []
    for result in results.values():
        for entry in result.conclusions:
            fact = entry.fact
            record: dict[str, Value] = {ruleset.subject: fact.subject, "kind": fact.kind.name}
            record["at"] = ruleset.zone.format(fact.at)
            for f, value in zip(fact.kind.fields, fact.values, strict=True):
                if value is not None:
                    record[f.name] = shown(f.type, value)
            records.append({**record, "rule": entry.reasons[0][0]})
    return records
