"""Rules, strata and indices to code: what both dialects share of a step (semantics 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby

from strikeout.facts import Field, Kind
from strikeout.model import (
    Aggregate,
    Derivation,
    Expression,
    Join,
    Logic,
    Rule,
    Ruleset,
    Selection,
    Since,
    This,
    TriggerField,
    Within,
    rule_expressions,
    walk,
)
from strikeout.order import kinds_read

from .expressions import Expressions
from .plan import Bounds, Index, Plan, index_of, joint_bound
from .writer import Operand, bare, both

Window = tuple[str, str, str, str]
"""What lies in a window: facts whose `at` or `step` stands in a relation to a bound, where that is known."""

NESTED_CONDITIONS = 12


class Steps(Expressions):
    """Writes the rules of a step, and what is kept of each fact. A dialect says how."""

    def __init__(self, ruleset: Ruleset, plan: Plan, bounds: Bounds, reserved: set[str]) -> None:
        super().__init__(ruleset, plan, reserved)
        self.bounds = bounds
        now: dict[int, list[Rule]] = {}
        for rule in ruleset.rules:
            for _, _, derivation in rule.derivations():
                if derivation.at is None and rule not in now.setdefault(derivation.kind.index, []):
                    now[derivation.kind.index].append(rule)
        self.deriving = now
        self.many: set[int] = set()
        before = -1
        while len(self.many) != before:
            before = len(self.many)
            for rule in ruleset.rules:
                kinds = {kind.index for kind in rule.triggers}
                if kinds & self.many or joint_bound(ruleset, rule.triggers, bounds) > 1:
                    self.many |= kinds
        self.placed: set[int] = set()
        for rule in ruleset.rules:
            kinds = {kind.index for kind in rule.triggers}
            if kinds & now.keys():
                self.placed |= kinds
        self.triggering = {kind.index for rule in ruleset.rules for kind in rule.triggers}
        self.sticky: dict[int, dict[object, object]] = {}
        self.inside_loop = False
        self.at_once: set[tuple[int, int]] = set()

    # What a dialect says.

    def cell(self, index: Index, what: str, record: str) -> str:
        """Where something is kept for the key of a record."""
        raise NotImplementedError

    def record(self, index: Index, keys: Sequence[Operand]) -> str:
        """The record of a key, made where there is none yet; that of no key where a part is missing."""
        raise NotImplementedError

    def grow(self, index: Index, record: str, own: Callable[[int], Operand], newest: str) -> None:
        """Write what an index keeps of a new fact."""
        raise NotImplementedError

    def triggers(self, kinds: Sequence[Kind]) -> Iterator[None]:
        """The block in which rules of these triggers are tried."""
        raise NotImplementedError

    def join(self, number: int, index: Index, record: str, filtered: bool) -> str:
        """Write a joined fact's variables; the condition under which there is one."""
        raise NotImplementedError

    def stand(self, derivation: Derivation, fields: Sequence[Operand], inline: bool) -> None:
        """Write that a derived fact stands now."""
        raise NotImplementedError

    def schedule(self, derivation: Derivation, fields: Sequence[Operand], due: str) -> None:
        """Write that a fact is scheduled."""
        raise NotImplementedError

    def stand_new(self, kinds: Sequence[Kind]) -> None:
        """Write that facts derived in a stratum enter the indices."""
        raise NotImplementedError

    def window_from(self, length: str, literal: bool) -> str:
        """Where a window of a duration begins."""
        raise NotImplementedError

    def anchor(self, index: Index, record: str, filtered: bool) -> str:
        """The step of the newest fact of an index; -1 where there is none."""
        raise NotImplementedError

    # Reading.

    def filtered(self, kind: Kind) -> bool:
        """Whether a read of a kind has to leave out facts of this step.

        A kind read backward needs it only where a rule of a lower stratum derives it: else none of it is there yet.
        """
        if self.before:
            return True
        if kind.index not in self.rule.backward:
            return False
        return any(rule.stratum < self.rule.stratum for rule in self.deriving.get(kind.index, ()))

    def select(self, selection: Selection) -> tuple[Index, str, bool]:
        """Write the look-up of a selection: its index, the record, and whether this step's facts are left out."""
        index = index_of(self.plan, selection)
        filtered = self.filtered(selection.kind)
        if index.fallible:
            fault = self.where_fault(index)
            test = f"if {fault} and {fault}_step < step:" if filtered else f"if {fault}:"
            with self.out.block(test):
                self.refuse(fault)
        order = dict(selection.by)
        keys = [self.value(order[slot]) for slot in index.slots]
        return index, self.record(index, keys), filtered

    def since_base(self, expression: Aggregate, index: Index, filtered: bool) -> Index | None:
        """The index of `since` where its newest fact can note how much there was before it.

        Then no single fact has to be kept. It takes keys of one class, and facts of this step that are seen.
        """
        window = expression.window
        if not isinstance(window, Since) or expression.function not in ("count", "sum") or filtered:
            return None
        anchor = index_of(self.plan, window.selection)
        return anchor if anchor.keys is index.keys and not self.filtered(window.selection.kind) else None

    def where_fault(self, index: Index) -> str:
        """The variable that holds the first fault that `where` of an index met."""
        return f"where_fault_{index.number}"

    def window(self, aggregate: Aggregate) -> Window:
        """Write what a window needs; see `Window`."""
        window = aggregate.window
        match window:
            case None:
                return "", "", "", ""
            case This(unit=unit):
                key = ("this", unit)
                start = self.out.find(key)
                if start is None:
                    start = self.out.names.fresh(f"this_{unit}")
                    self.start_of(unit, "at", start)
                    self.out.remember(key, start)
                return "at", ">=", start, ""
            case Since(selection=selection):
                index, record, filtered = self.select(selection)
                return "step", ">=", self.anchor(index, record, filtered), ""
            case Within(length=length, inclusive=inclusive):
                operand = self.brief(self.value(length))
                relation = ">=" if inclusive else ">"
                constant = self.constant_of(length)
                if length.type.name == "duration":
                    return "at", relation, self.window_from(operand.code, constant is not None), operand.known
                start = self.out.names.fresh("start")
                if length.type.name == "months":
                    call = self.call("window_of_months", "at", operand.code)
                else:
                    call = self.call("window_of_dates", "at", operand.code, str(inclusive))
                    relation = ">="
                if operand.known:
                    self.out.line(f"{start} = 0")
                    with self.out.block(f"if {bare(operand.known)}:"):
                        self.out.line(f"{start} = {call}")
                else:
                    self.out.line(f"{start} = {call}")
                return "at", relation, start, operand.known
        raise TypeError("a window of no known form")

    # Entering facts.

    def newest_inside(self, index: Index, record: str, window: Window) -> str:
        """The condition that the newest fact of a key lies in a window; nothing, where there is no window."""
        column, relation, bound, known = window
        if column == "at":
            return both(known, f"({self.cell(index, 'at', record)} {relation} {bound})")
        if column == "step":
            newest = self.cell(index, "step", record)
            return f"({newest} >= 0 and {newest} >= {bound})"
        return ""

    def how_many(self, function: str, index: Index, record: str, inside: str) -> Operand:
        """`count`, `any` or `none` of what an index counts."""
        if function == "count":
            return Operand(self.cell(index, "count", record))
        if function == "any":
            return Operand(inside or f"({self.cell(index, 'count', record)} > 0)")
        return Operand(f"(not ({inside}))" if inside else f"({self.cell(index, 'count', record)} == 0)")

    def insert(self, kind: Kind, own: Callable[[int], Operand], newest: str) -> None:
        """Write that a fact enters the indices of its kind."""
        for index in self.plan.of_kind(kind):
            self.out.comment(index.text)
            with ExitStack() as stack:
                if index.where is not None:
                    outer, self.own = self.own, own
                    ahead, self.ahead = self.ahead, {}
                    if index.fallible:
                        code = self.fallible_where(index, index.where)
                    else:
                        self.compute_ahead([index.where], [])
                        code = self.condition(index.where)
                    self.own, self.ahead = outer, ahead
                    if not index.kept:
                        continue
                    stack.enter_context(self.out.block(f"if {bare(code)}:"))
                keys = [own(slot) for slot in index.slots]
                known = both(*(key.known for key in keys))
                if known:
                    stack.enter_context(self.out.block(f"if {bare(known)}:"))
                if index.kept:
                    record = self.record(index, [Operand(key.code) for key in keys])
                    self.grow(index, record, own, newest)

    def fallible_where(self, index: Index, where: Expression) -> str:
        """Write a `where` that can fail; the first fault is kept for whoever sees the fact."""
        fault = self.out.names.fresh("fault")
        holds = self.out.names.fresh("holds")
        self.out.line(f"{fault} = 0")
        self.out.line(f"{holds} = False")
        outer, self.capture = self.capture, fault
        with self.once():
            self.compute_ahead([where], [])
            self.out.line(f"{holds} = {bare(self.condition(where))}")
            self.out.line("break")
        self.capture = outer
        kept = self.where_fault(index)
        with self.out.block(f"if {fault} and not {kept}:"):
            self.out.line(f"{kept} = {fault}")
            self.out.line(f"{kept}_step = step")
        return holds

    # Rules.

    def strata(self) -> None:
        """Write the rules of a step, stratum by stratum."""
        for stratum, rules in groupby(enumerate(self.ruleset.rules), key=lambda pair: pair[1].stratum):
            late: list[Kind] = []
            numbered = list(rules)
            for triggers, group in groupby(numbered, key=lambda pair: pair[1].triggers):
                alone = any(kind.index in self.many for kind in triggers)
                members = list(group)
                for some in [[pair] for pair in members] if alone else [members]:
                    with contextmanager(self.triggers)(triggers):
                        self.prefetch(triggers)
                        for number, rule in some:
                            self.rule_block(number, rule, late)
            kinds = [kind for kind in self.ruleset.kinds if kind in late]
            if kinds:
                self.out.comment(f"stratum {stratum}: what it derived")
                self.stand_new(kinds)

    def prefetch(self, kinds: Sequence[Kind]) -> None:
        """Write the loads of fields that several rules of a trigger read."""
        uses: dict[tuple[tuple[int, int], ...], list[TriggerField]] = {}
        for rule in (*self.ruleset.rules, *self.ruleset.void_rules):
            if rule.triggers != tuple(kinds):
                continue
            found: dict[tuple[tuple[int, int], ...], TriggerField] = {}
            for expression in rule_expressions(rule):
                for node in walk(expression):
                    if isinstance(node, TriggerField):
                        found[node.slots] = node
            for slots, node in found.items():
                uses.setdefault(slots, []).append(node)
        for nodes in uses.values():
            if len(nodes) > 1:
                self.trigger_field(nodes[0])

    def rule_block(self, number: int, rule: Rule, late: list[Kind]) -> None:
        """Write one rule: whether it holds, and what follows."""
        self.rule, self.rule_number, self.before = rule, number, False
        self.ahead = {}
        line = rule.span.line
        self.out.comment(f"{rule.name} ({rule.span.source.name}:{line})")
        tests = []
        if rule.starts is not None:
            tests.append(f"at >= {rule.starts}")
        if rule.ends is not None:
            tests.append(f"at < {rule.ends}")
        with ExitStack() as stack:
            stack.enter_context(self.forgetting())
            if tests:
                stack.enter_context(self.out.block(f"if {bare(both(*tests))}:"))
            self.joins(rule.joins, stack)
            lets = [let.value for let in rule.lets]
            self.compute_ahead(_roots(rule), lets)
            self.conditions(rule.condition, stack)
            if rule.ladder is not None:
                self.ladder(rule, lets, late)
            elif rule.voids:
                self.void(rule)
            else:
                self.follow(rule, rule.then, late)

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """A rule's own scope: what is computed in it is not used by the next."""
        self.out.scopes.append({})
        try:
            yield
        finally:
            found = self.out.scopes.pop()
            for key, value in found.items():
                if isinstance(key, tuple) and key[0] in ("field", "record"):
                    self.out.scopes[-1][key] = value

    def joins(self, joins: Sequence[Join], stack: ExitStack) -> None:
        """Write the facts that `with` joins; without one the rule does not fire."""
        for number, join in enumerate(joins):
            index, record, filtered = self.select(join.selection)
            test = self.join(number, index, record, filtered)
            stack.enter_context(self.out.block(f"if {bare(test)}:"))

    def conditions(self, condition: Expression | None, stack: ExitStack) -> None:
        """Write the parts of a condition, each inside those before it."""
        parts: list[Expression] = []
        pending = [condition] if condition is not None else []
        while pending:
            part = pending.pop()
            if isinstance(part, Logic) and part.operator == "and" and (id(part), False) not in self.ahead:
                pending.extend(reversed(part.operands))
            else:
                parts.append(part)
        codes: list[str] = []
        nested = 0
        for place, part in enumerate(parts):
            if not codes:
                codes.append(self.condition(part))
                continue
            rest = part
            if nested > NESTED_CONDITIONS and place < len(parts) - 1:
                rest = Logic(part.type, part.span, "and", tuple(parts[place:]))
            with self.out.aside(0) as lines:
                code = self.condition(rest)
            if lines:
                stack.enter_context(self.out.block(f"if {bare(both(*codes))}:"))
                nested += 1
                codes = [self.condition(rest)]
            else:
                codes.append(code)
            if rest is not part:
                break
        if codes:
            stack.enter_context(self.out.block(f"if {bare(both(*codes))}:"))

    def ladder(self, rule: Rule, lets: Sequence[Expression], late: list[Kind]) -> None:
        """Write a ladder: the highest threshold reached, if the value before was below it."""
        if rule.ladder is None:
            return
        of = rule.ladder.of
        self.before = True
        self.compute_ahead([of], lets)
        before = self.brief(self.value(of))
        self.before = False
        now = self.brief(self.value(of))
        word = "if"
        for threshold, derivations in reversed(rule.ladder.steps):
            with self.out.block(f"{word} {bare(both(now.known, f'{now.code} >= {threshold}'))}:"):
                below = f"{before.code} < {threshold}"
                if before.known:
                    below = (
                        f"(not {before.known} or {below})"
                        if before.known.isidentifier()
                        else f"(not ({before.known}) or {below})"
                    )
                with self.out.block(f"if {bare(below)}:"):
                    self.follow(rule, derivations, late)
                    if self.inside_loop:
                        self.out.line("break")
            word = "elif"

    def follow(self, rule: Rule, derivations: Sequence[Derivation], late: list[Kind]) -> None:
        """Write what a rule derives, in order."""
        for derivation in derivations:
            kind = derivation.kind
            fields = [self.field(derivation, f, value) for f, value in zip(kind.fields, derivation.values, strict=True)]
            if derivation.at is None:
                inline = self.can_enter_at_once(rule, kind)
                if not inline and kind not in late:
                    late.append(kind)
                self.stand(derivation, fields, inline)
                continue
            due = self.brief(self.value(derivation.at))
            if due.known:
                with self.out.block(
                    f"if not {due.known}:" if due.known.isidentifier() else f"if not ({bare(due.known)}):"
                ):
                    message = f"the instant for which `{kind.name}` is scheduled is missing"
                    self.fault("missing", message, derivation.span)
            with self.out.block(f"if {due.code} < at:"):
                message = f"`{kind.name}` is scheduled for an instant before now"
                self.fault("past", message, derivation.span)
            self.schedule(derivation, fields, due.code)

    def field(self, derivation: Derivation, declared: Field, value: Expression | None) -> Operand:
        """A derived field: from its expression, else the default; a required one that is missing is a fault."""
        operand = self.value(value) if value is not None else Operand(self.missing(declared.type), "False")
        if not operand.known:
            return operand
        if declared.default is not None:
            default = self.literal(declared.type, declared.default)
            if value is None:
                return Operand(default)
            operand = self.brief(operand)
            return Operand(f"({operand.code} if {bare(operand.known)} else {default})")
        if declared.required:
            operand = self.brief(operand)
            with self.out.block(f"if not ({bare(operand.known)}):"):
                message = f"the required field `{declared.name}` of `{derivation.kind.name}` is missing"
                self.fault("missing", message, derivation.span)
            return Operand(operand.code)
        return self.brief(operand)

    def can_enter_at_once(self, rule: Rule, kind: Kind) -> bool:
        """Whether a derived fact may enter the indices before its stratum is over: nobody reads it there any more."""
        return (rule.stratum, kind.index) in self.at_once

    def find_at_once(self) -> set[tuple[int, int]]:
        """The kinds of which, in a stratum, every derived fact may enter the indices at once."""
        found: dict[tuple[int, int], bool] = {}
        for number, rule in enumerate(self.ruleset.rules):
            groups = [rule.then] if rule.ladder is None else [group for _, group in rule.ladder.steps]
            for group in groups:
                for place, derivation in enumerate(group):
                    if derivation.at is not None:
                        continue
                    kind = derivation.kind.index
                    later = [r for r in self.ruleset.rules[number + 1 :] if r.stratum == rule.stratum]
                    read = any(kind in kinds_read(r) for r in later)
                    again = self.bounds.tried[number] > 1 and kind in kinds_read(rule)
                    good = place == len(group) - 1 and not read and not again
                    key = (rule.stratum, kind)
                    found[key] = found.get(key, True) and good
        return {key for key, good in found.items() if good}

    def void(self, rule: Rule) -> None:
        """Write what a void rule's trigger voids."""
        raise NotImplementedError


def _roots(rule: Rule) -> list[Expression]:
    """The expressions of a rule but those of `with`, which `where` and keys are."""
    found = [rule.condition, *([] if rule.ladder is None else [rule.ladder.of])]
    for _, _, derivation in rule.derivations():
        found += [*derivation.values, derivation.at]
    return [expression for expression in found if expression is not None]


def anchor_selection(expression: Aggregate) -> Selection:
    """What stands after `since`."""
    if not isinstance(expression.window, Since):
        raise TypeError("a window without `since`")
    return expression.window.selection
