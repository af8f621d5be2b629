"""The third gate: from a file to a checked ruleset, or to all that is wrong with it.

What is not checked cannot be run. The checks over the whole ruleset are the rows of `CHECKS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from .calendars import Calendar
from .declare import Declarer
from .expressions import check_name
from .facts import Kind
from .merge import Library, assemble, find
from .model import (
    Aggregate,
    Choice,
    Expression,
    Literal,
    Logic,
    Operation,
    Parameter,
    ParameterValue,
    Rule,
    Ruleset,
    rule_expressions,
    selections,
    walk,
)
from .order import Circle, kinds_read, strata
from .draft import Draft, DraftParameter
from .problems import Problem, RulesetError, Source, Span, listing, nearest, shorten, sort_problems
from .read import Mapping as NodeMapping
from .read import Node, Scalar, Sequence, read
from .resolve import Declarations, Scope
from .rules import RuleBuilder
from .values import Zone


@dataclass(slots=True)
class _Whole:
    """The parts of a ruleset as far as they could be built, for the checks over all of them."""

    draft: Draft
    declarations: Declarations
    rules: list[Rule]
    void_rules: list[Rule]
    terminal: Kind | None
    complete: bool

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(self.declarations.kinds.values())

    def report(self, code: str, message: str, span: Span, hint: str = "", warning: bool = False) -> None:
        self.declarations.problems.append(Problem(code, message, span, hint, warning=warning))


def _voids(whole: _Whole) -> None:
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
            if derivation.kind.index in voiding:
                message = f"no rule may derive `{derivation.kind.name}`: it voids, and only given facts void"
                whole.report("void", message, derivation.span)


def _occurs(whole: _Whole) -> tuple[set[int], set[str]]:
    """The kinds that can occur, and the rules that can fire."""
    possible = {kind.index for kind in whole.kinds if kind.given}
    firing: set[str] = set()
    while True:
        able = {
            rule.name
            for rule in (*whole.rules, *whole.void_rules)
            if any(kind.index in possible for kind in rule.triggers)
            and all(join.selection.kind.index in possible for join in rule.joins)
        }
        if able == firing:
            return possible, firing
        firing = able
        for rule in whole.rules:
            if rule.name in firing:
                possible.update(d.kind.index for _, _, d in rule.derivations())


def _never_fires(whole: _Whole) -> None:
    """A rule whose kind is never given nor derived, or whose condition is constant."""
    possible, firing = _occurs(whole)
    for rule in (*whole.rules, *whole.void_rules):
        if rule.name not in firing:
            wanted = [kind.name for kind in rule.triggers if kind.index not in possible]
            wanted = wanted or [j.selection.kind.name for j in rule.joins if j.selection.kind.index not in possible]
            message = f"the rule `{rule.name}` can never fire: {listing(wanted)} is never given nor derived"
            whole.report("never-fires", message, rule.span, "declare the kind with `input: true`, or derive it")
        if rule.condition is not None and (value := _constant(rule.condition)) is not None:
            if value is False:
                message = f"the rule `{rule.name}` can never fire: its condition is always false"
                whole.report("never-fires", message, rule.condition.span)
            else:
                message = f"the condition of the rule `{rule.name}` is always true"
                whole.report("constant", message, rule.condition.span, "leave `if` out", warning=True)


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
            values = [_constant(operand) for operand in expression.operands]
            if deciding in values:
                return deciding
            return None if None in values else not deciding
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


def _unused(whole: _Whole) -> None:
    """Parameters, and kinds of the ruleset's own, that nothing uses."""
    every = (*whole.rules, *whole.void_rules)
    used_parameters = {
        node.parameter
        for rule in every
        for expression in rule_expressions(rule)
        for node in walk(expression)
        if isinstance(node, ParameterValue)
    }
    for number, parameter in whole.declarations.parameters.values():
        if number not in used_parameters:
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


def _schedules_itself(whole: _Whole) -> None:
    """A rule that schedules what leads back to it: it repeats until the limit of steps (semantics 11)."""
    import networkx as nx

    graph: nx.DiGraph[object] = nx.DiGraph()
    for rule in whole.rules:
        graph.add_edges_from((("kind", kind.index), rule.name) for kind in rule.triggers)
        graph.add_edges_from((rule.name, ("kind", d.kind.index)) for _, _, d in rule.derivations())
    for rule in whole.rules:
        for _, _, derivation in rule.derivations():
            node = ("kind", derivation.kind.index)
            if derivation.at is not None and nx.has_path(graph, node, rule.name):
                message = f"the rule `{rule.name}` schedules `{derivation.kind.name}`, which leads back to it"
                hint = "a subject's run may have 1,000 scheduled steps, and 1,000 for each of its input facts"
                whole.report("schedules-itself", message, derivation.span, hint, warning=True)


def _calendar_needed(whole: _Whole) -> None:
    """Working days need a calendar."""
    if whole.draft.settings.get("calendar") is not None:
        return
    for rule in (*whole.rules, *whole.void_rules):
        for expression in rule_expressions(rule):
            for node in walk(expression):
                if isinstance(node, Operation) and any(o.type.name == "workdays" for o in node.operands):
                    hint = "say which days are worked: `calendar: CN`"
                    whole.report("missing-key", "working days need a calendar", node.span, hint)


def _no_rules(whole: _Whole) -> None:
    """A ruleset without rules decides nothing."""
    if not whole.draft.rules:
        whole.report("empty", "the ruleset has no rules", whole.draft.span)


CHECKS: tuple[Callable[[_Whole], None], ...] = (
    _no_rules,
    _voids,
    _never_fires,
    _unused,
    _schedules_itself,
    _calendar_needed,
)
"""The checks over a whole ruleset; each is skipped where rules could not be built."""


def _setting(draft: Draft, key: str, problems: list[Problem], hint: str) -> Scalar | None:
    scalar = draft.settings.get(key)
    if scalar is None:
        problems.append(Problem("missing-key", f"the ruleset does not say `{key}`", draft.span, hint))
    return scalar


def _zone(draft: Draft, problems: list[Problem]) -> Zone | None:
    scalar = _setting(draft, "timezone", problems, "for example `timezone: Asia/Shanghai`")
    if scalar is None:
        return None
    try:
        return Zone.load(scalar.text)
    except ValueError as error:
        problems.append(Problem("unknown-name", str(error), scalar.span))
        return None


def _plain(node: Node) -> object:
    """A node as plain lists, mappings and texts, for a calendar."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node]
    return {key.text: _plain(value) for key, value in node}


def _calendar(draft: Draft, library: Library, problems: list[Problem]) -> tuple[Calendar | None, Source | None]:
    scalar = draft.settings.get("calendar")
    source = find(library, "calendar", scalar, problems) if scalar is not None else None
    if scalar is None or source is None:
        return None, None
    node, found = read(source)
    problems.extend(found)
    if not isinstance(node, NodeMapping):
        problems.append(Problem("shape", "a calendar must be a mapping of keys and values", node.span))
        return None, source
    plain = _plain(node)
    try:
        return Calendar.from_mapping(plain if isinstance(plain, dict) else {}), source
    except ValueError as error:
        problems.append(Problem("calendar", str(error), node.pairs[0][0].span if node.pairs else node.span))
        return None, source


def _overrides(draft: Draft, overrides: Mapping[str, str], problems: list[Problem]) -> list[Source]:
    sources = []
    for name, text in overrides.items():
        source = Source(f"--set {shorten(name, 40)}", text)
        span = Span(source, 0, len(text))
        before = draft.parameters.get(name)
        if before is None:
            named = Source("--set", name)
            hint = nearest(name, draft.parameters) or (
                f"its parameters are {listing(draft.parameters)}" if draft.parameters else "it has no parameters"
            )
            message = f"the ruleset has no parameter `{shorten(name, 40)}`"
            problems.append(Problem("unknown-name", message, Span(named, 0, len(name)), hint))
            continue
        scalar = Scalar(text, False, span)
        draft.parameters[name] = DraftParameter(name, scalar, (), before.title, span)
        sources.append(source)
    return sources


def _build_rules(declarer: Declarer, draft: Draft) -> list[Rule | None]:
    declarations = declarer.declarations
    ordered = sorted(declarations.parameters.values(), key=lambda found: found[0])
    parameters: tuple[Parameter, ...] = tuple(parameter for _, parameter in ordered)
    return [
        RuleBuilder(declarer, rule, parameters, Scope(declarations)).build() for rule in draft.rules.values()
    ]


def _strata(rules: list[Rule], draft: Draft, problems: list[Problem]) -> list[Rule]:
    try:
        levels = strata(rules)
    except Circle as circle:
        first = draft.rules[circle.rules[0]]
        path = " → ".join((*circle.rules, circle.rules[0]))
        related = tuple((f"the rule `{name}`", draft.rules[name].span) for name in circle.rules[1:])
        message = f"rules trigger each other in a circle at one instant: {path}"
        problems.append(Problem("circle", message, first.span, "schedule one of them with `at:`", related))
        return rules
    levelled = [replace(rule, stratum=levels[rule.name][0], backward=levels[rule.name][1]) for rule in rules]
    return sorted(levelled, key=lambda rule: (rule.stratum, rule.name))


def check(source: Source, library: Library, overrides: Mapping[str, str] | None = None) -> Ruleset:
    """Check a ruleset's file and all that it extends and includes.

    Parameters
    ----------
    source : Source
        The ruleset's file.
    library : Library
        Where vocabularies, calendars and other rulesets are found by name.
    overrides : mapping of str to str, optional
        Parameters given from outside, as literals of the language; their types are checked anew.

    Returns
    -------
    Ruleset
        The checked ruleset; its warnings are in `warnings`.

    Raises
    ------
    RulesetError
        With every problem of section 6 of the ruleset language that was found.
    """
    draft, problems = assemble(source, library)
    extra = _overrides(draft, overrides or {}, problems)
    zone = _zone(draft, problems)
    calendar, calendar_source = _calendar(draft, library, problems)
    subject = _setting(draft, "subject", problems, "the field that names whom a rule judges: `subject: seller`")
    if subject is not None:
        check_name(subject, "the subject", problems)
    subject_name = subject.text if subject is not None else "subject"
    declarations = Declarations(subject_name, zone or Zone.load("UTC"), problems=problems)
    declarer = Declarer(draft, declarations)
    declarer.declare()
    built = _build_rules(declarer, draft)
    complete = None not in built
    rules = [rule for rule in built if rule is not None]
    terminal = draft.settings.get("terminal")
    terminal_kind = declarations.kinds.get(terminal.text) if terminal is not None else None
    if terminal is not None and terminal_kind is None:
        hint = nearest(terminal.text, declarations.kinds)
        problems.append(Problem("unknown-kind", f"unknown kind `{shorten(terminal.text, 40)}`", terminal.span, hint))
    firing = [rule for rule in rules if not rule.voids]
    void_rules = sorted((rule for rule in rules if rule.voids), key=lambda rule: rule.name)
    whole = _Whole(draft, declarations, firing, void_rules, terminal_kind, complete)
    if complete:
        whole.rules = _strata(firing, draft, problems)
        for row in CHECKS:
            row(whole)
    if any(not problem.warning for problem in problems):
        raise RulesetError(problems)
    sources = [*draft.sources, *([calendar_source] if calendar_source is not None else []), *extra]
    version = draft.settings.get("version")
    name = draft.settings.get("ruleset")
    return Ruleset(
        name=name.text if name is not None else source.name,
        version=version.text if version is not None else "",
        title=draft.title,
        note=draft.note,
        subject=subject_name,
        zone=declarations.zone,
        calendar=calendar,
        kinds=whole.kinds,
        parameters=tuple(
            parameter for _, parameter in sorted(declarations.parameters.values(), key=lambda found: found[0])
        ),
        rules=tuple(whole.rules),
        void_rules=tuple(void_rules),
        terminal=terminal_kind,
        span=draft.span,
        warnings=sort_problems(problem for problem in problems if problem.warning),
        digest=_digest(sources),
    )


def _digest(sources: Iterable[Source]) -> str:
    digest = hashlib.sha256()
    for source in sorted(sources, key=lambda s: (s.name.rsplit("/", 1)[-1], s.text)):
        digest.update(f"{source.name.rsplit('/', 1)[-1]}\0{len(source.text)}\0{source.text}\0".encode())
    return digest.hexdigest()

