"""The checks over a whole ruleset, a function each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..facts import Kind
from ..ground.problems import Problem, Span, listing
from ..model import (
    Aggregate,
    Choice,
    Expression,
    Literal,
    Logic,
    Operation,
    ParameterValue,
    Rule,
    rule_expressions,
    selections,
    walk,
)
from ..order import kinds_read
from .draft import Draft
from .scope import Declarations


@dataclass(slots=True)
class Whole:
    """The parts of a ruleset as far as they could be built, for the checks over all of them."""

    draft: Draft
    declarations: Declarations
    rules: list[Rule]
    void_rules: list[Rule]
    terminal: Kind | None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds, in order."""
        return tuple(self.declarations.kinds.values())

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules, void rules among them."""
        return (*self.rules, *self.void_rules)

    def report(self, code: str, message: str, span: Span, hint: str = "", warning: bool = False) -> None:
        """Record a problem."""
        self.declarations.problems.append(Problem(code, message, span, hint, warning=warning))


def _voids(whole: Whole) -> None:
    """`void` is of and by input kinds; a kind that voids is neither voided nor derived (semantics 6)."""
    voiding = {kind.index for rule in whole.void_rules for kind in rule.triggers}
    for rule in whole.void_rules:
        for kind in rule.triggers:
            if not kind.given:
                message = f"`{kind.name}` voids, but is no input: only given facts void"
                whole.report("void", message, rule.span, "declare it with `input: true`")
        for target in rule.voids:
            if not target.kind.given:
                whole.report("void", f"`{target.kind.name}` is no input: what is derived is never voided", target.span)
            if target.kind.index in voiding:
                whole.report("void", f"`{target.kind.name}` voids and cannot itself be voided", target.span)
        for expression in rule_expressions(rule):
            for node in walk(expression):
                for selection in selections(node) if isinstance(node, Aggregate) else ():
                    if not selection.kind.given:
                        message = f"a void rule reads input facts only, and `{selection.kind.name}` is none"
                        whole.report("void", message, node.span)
        for join in rule.joins:
            if not join.selection.kind.given:
                message = f"a void rule reads input facts only, and `{join.selection.kind.name}` is none"
                whole.report("void", message, join.span)
    for rule in whole.rules:
        for _, _, derivation in rule.derivations():
            if derivation.kind.index in voiding and derivation.kind.given:
                message = f"no rule may derive `{derivation.kind.name}`: it voids, and only given facts void"
                whole.report("void", message, derivation.span)


def _firing(whole: Whole, possible: set[int]) -> set[str]:
    """The rules that can fire where facts of these kinds occur; the kinds that they derive are added."""
    wanting: dict[int, list[Rule]] = {}
    for rule in whole.every_rule:
        for index in {*(kind.index for kind in rule.triggers), *(j.selection.kind.index for j in rule.joins)}:
            wanting.setdefault(index, []).append(rule)
    firing: set[str] = set()
    new = list(possible)
    while new:
        for rule in wanting.get(new.pop(), ()):
            if rule.name not in firing and not _absent(rule, possible):
                firing.add(rule.name)
                derived = {d.kind.index for _, _, d in rule.derivations()} - possible
                possible |= derived
                new.extend(derived)
    return firing


def _never_fires(whole: Whole) -> None:
    """A rule whose kind is never given nor derived; those that only wait for such a rule are not told."""
    possible = {kind.index for kind in whole.kinds if kind.given}
    firing = _firing(whole, possible)
    silent = [rule for rule in whole.every_rule if rule.name not in firing]
    derivable = {d.kind.index for rule in whole.rules for _, _, d in rule.derivations()}
    roots = [rule for rule in silent if any(kind.index not in derivable for kind in _absent(rule, possible))]
    granted = possible | {d.kind.index for rule in roots for _, _, d in rule.derivations()}
    told = {rule.name for rule in roots} | ({rule.name for rule in silent} - _firing(whole, granted))
    for rule in silent:
        if rule.name in told:
            names = listing(kind.name for kind in _absent(rule, possible))
            message = f"the rule `{rule.name}` can never fire: {names} is never given nor derived"
            hint = "declare the kind with `input: true`, or derive it"
            whole.report("never-fires", message, rule.span, hint)


def _absent(rule: Rule, possible: set[int]) -> list[Kind]:
    """The kinds for want of which a rule cannot fire."""
    absent = [kind for kind in rule.triggers if kind.index not in possible]
    if len(absent) < len(rule.triggers):
        absent = []
    joined = (join.selection.kind for join in rule.joins)
    return absent + [kind for kind in joined if kind.index not in possible]


def _constants(whole: Whole) -> None:
    """A rule whose condition is constant."""
    for rule in whole.every_rule:
        value = _constant(rule.condition) if rule.condition is not None else None
        if rule.condition is None or value is None:
            continue
        if value:
            message = f"the condition of the rule `{rule.name}` is always true"
            whole.report("constant", message, rule.condition.span, "leave `if` out", warning=True)
        else:
            message = f"the rule `{rule.name}` can never fire: its condition is always false"
            whole.report("never-fires", message, rule.condition.span)


def _constant(expression: Expression) -> bool | None:
    """The value of a condition that is made of literals only, or that a literal part decides."""
    match expression:
        case Literal():
            return bool(expression.value) if isinstance(expression.value, bool) else None
        case Logic(operator="not"):
            inner = _constant(expression.operands[0])
            return None if inner is None else not inner
        case Logic():
            deciding = expression.operator == "or"
            parts = {_constant(operand) for operand in expression.operands}
            if deciding in parts:
                return deciding
            return None if None in parts else not deciding
        case Operation(operator="==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in"):
            return _constant_comparison(expression)
        case Choice():
            values = {_constant(value) for _, value in expression.branches}
            return values.pop() if len(values) == 1 else None
    return None


def _constant_comparison(operation: Operation) -> bool | None:
    if not all(isinstance(operand, Literal) for operand in operation.operands):
        return None
    first, *others = (operand.value for operand in operation.operands if isinstance(operand, Literal))
    if operation.operator in ("in", "not in"):
        return (first in others) == (operation.operator == "in")
    if operation.operator in ("==", "!="):
        return (first == others[0]) == (operation.operator == "==")
    if not isinstance(first, int) or not isinstance(others[0], int):
        return None
    less, equal = first < others[0], first == others[0]
    return {"<": less, "<=": less or equal, ">": not less and not equal, ">=": not less}[operation.operator]


def _unused(whole: Whole) -> None:
    """Parameters and kinds of the ruleset's own that nothing uses; those of other files are told of those."""
    every = whole.every_rule
    used_parameters = {
        node.parameter
        for rule in every
        for expression in rule_expressions(rule)
        for node in walk(expression)
        if isinstance(node, ParameterValue)
    }
    for number, parameter in whole.declarations.parameters.values():
        own = parameter.span.source.name == whole.draft.source.name
        if own and number not in used_parameters:
            whole.report("unused", f"nothing uses the parameter `{parameter.name}`", parameter.span, warning=True)
    used = {kind.index for rule in every for kind in rule.triggers}
    used |= {index for rule in every for index in kinds_read(rule)}
    used |= {d.kind.index for rule in every for _, _, d in rule.derivations()}
    used |= {target.kind.index for rule in every for target in rule.voids}
    used |= {kind.ends.kind for kind in whole.kinds if kind.ends is not None}
    for kind in whole.kinds:
        shared = kind.span is not None and kind.span.source.name != whole.draft.source.name
        status = kind.effect or kind.ends is not None or kind is whole.terminal
        if kind.index not in used and not status and not shared and kind.span is not None:
            whole.report("unused", f"nothing uses the kind `{kind.name}`", kind.span, warning=True)


def _schedules_itself(whole: Whole) -> None:
    """A rule that schedules what leads back to it: it repeats until the limit of steps (semantics 11)."""
    import networkx as nx

    graph: nx.DiGraph[object] = nx.DiGraph()
    for rule in whole.rules:
        graph.add_edges_from((("kind", kind.index), rule.name) for kind in rule.triggers)
        graph.add_edges_from((rule.name, ("kind", d.kind.index)) for _, _, d in rule.derivations())
    circles = nx.strongly_connected_components(graph)
    component = {node: number for number, nodes in enumerate(circles) for node in nodes}
    for rule in whole.rules:
        for _, _, derivation in rule.derivations():
            back = component["kind", derivation.kind.index] == component[rule.name]
            if derivation.at is not None and back:
                message = f"the rule `{rule.name}` schedules `{derivation.kind.name}`, which leads back to it"
                hint = "a subject's run may have 1,000 scheduled steps, and 1,000 for each of its input facts"
                whole.report("schedules-itself", message, derivation.span, hint, warning=True)


def _calendar_needed(whole: Whole) -> None:
    """Working days need a calendar."""
    if whole.draft.settings.get("calendar") is not None:
        return
    for rule in whole.every_rule:
        for expression in rule_expressions(rule):
            for node in walk(expression):
                if isinstance(node, Operation) and any(o.type.name == "workdays" for o in node.operands):
                    hint = "say which days are worked: `calendar: CN`"
                    whole.report("missing-key", "working days need a calendar", node.span, hint)


def _no_rules(whole: Whole) -> None:
    """A ruleset without rules decides nothing."""
    if not whole.draft.rules:
        whole.report("empty", "the ruleset has no rules", whole.draft.span)


CHECKS: tuple[Callable[[Whole], None], ...] = (_voids, _constants, _calendar_needed)
"""Checks that hold for the rules that could be built, whatever else is wrong."""

CHECKS_OF_ALL: tuple[Callable[[Whole], None], ...] = (_no_rules, _never_fires, _unused, _schedules_itself)
"""Checks that would be misled by what is missing: each waits until there is no error."""
