"""The third gate: from a file to a checked ruleset, or to all that is wrong with it.

What is not checked cannot be run. The checks over the whole ruleset are those of `checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..facts import Kind
from ..ground.calendars import Calendar
from ..ground.problems import Problem, RulesetError, Source, Span, listing, nearest, shorten, sort_problems
from ..ground.values import Zone
from ..model import Rule, Ruleset
from ..order import Circle, strata
from .checks import CHECKS, CHECKS_OF_ALL, Whole
from .declare import Declarer
from .draft import Draft, DraftParameter
from .expressions import check_name
from .merge import Library, assemble, find
from .nodes import Mapping as NodeMapping
from .nodes import Node, Scalar, Sequence
from .read import read
from .rules import RuleBuilder
from .scope import Declarations, Scope

MOST_SHOWN = 12
"""So many rules of a circle are named."""


def _setting(draft: Draft, key: str, problems: list[Problem], hint: str) -> Scalar | None:
    scalar = draft.settings.get(key)
    if scalar is None and ("setting", key) not in draft.broken:
        problems.append(Problem("missing-key", f"the ruleset does not say `{key}`", draft.span, hint))
    return scalar


def _zone(draft: Draft, problems: list[Problem]) -> Zone:
    scalar = _setting(draft, "timezone", problems, "for example `timezone: Asia/Shanghai`")
    try:
        return Zone.load(scalar.text if scalar is not None else "UTC")
    except ValueError as error:
        message, _, hint = str(error).partition(", did you mean")
        span = scalar.span if scalar is not None else draft.span
        problems.append(Problem("unknown-name", message, span, f"did you mean{hint}" if hint else ""))
        return Zone.load("UTC")


def _subject(draft: Draft, problems: list[Problem]) -> str:
    hint = "the field that names whom a rule judges: `subject: seller`"
    scalar = _setting(draft, "subject", problems, hint)
    if scalar is None:
        return "subject"
    check_name(scalar, "the subject", problems)
    return scalar.text


def _terminal(draft: Draft, declarations: Declarations) -> Kind | None:
    scalar = draft.settings.get("terminal")
    if scalar is None:
        return None
    found = declarations.kinds.get(scalar.text)
    if found is None:
        declarations.unknown_kind(scalar.text, scalar.span)
    return found


def _plain(node: Node) -> object:
    """A node as plain lists, mappings and texts, for a calendar."""
    if isinstance(node, Scalar):
        return None if node.is_null else node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node]
    return {key.text: _plain(value) for key, value in node}


def _calendar(draft: Draft, library: Library, problems: list[Problem]) -> tuple[Calendar | None, Source | None]:
    scalar = draft.settings.get("calendar")
    if scalar is None:
        return None, None
    try:
        source = find(library, "calendar", scalar, problems)
        if source is None:
            return None, None
        node, found = read(source)
    except RulesetError as error:
        problems.extend(error.problems)
        return None, None
    problems.extend(found)
    plain = _plain(node)
    if not isinstance(node, NodeMapping) or not isinstance(plain, dict):
        problems.append(Problem("shape", "a calendar must be a mapping of keys and values", node.span))
    elif not found:
        try:
            return Calendar.from_mapping(plain), source
        except ValueError as error:
            message, _, hint = str(error).partition(", did you mean")
            hint = f"did you mean{hint}" if hint else ""
            problems.append(Problem("calendar", message, _place(node, message), hint))
    return None, source


def _place(node: NodeMapping, message: str) -> Span:
    """The place in a calendar that a message is about: the longest of its words that the message has, below the key."""
    named = message[1:].partition("`")[0] if message.startswith("`") else ""
    below = node.get(named)
    pending: list[Node] = [below] if below is not None else [node]
    found = node.key(named) or node.pairs[0][0] if node.pairs else None
    longest = 0
    while pending:
        part = pending.pop()
        if isinstance(part, Scalar):
            if len(part.text) > longest and part.text in message:
                found, longest = part, len(part.text)
        elif isinstance(part, Sequence):
            pending.extend(part)
        else:
            pending.extend(inner for pair in part for inner in pair)
    return found.span if found is not None else node.span


def _overrides(draft: Draft, overrides: Mapping[str, str], problems: list[Problem]) -> list[Source]:
    sources = []
    for name, text in overrides.items():
        source = Source(f"--set {shorten(name, 40)}", text)
        span = Span(source, 0, len(text))
        before = draft.parameters.get(name)
        if before is not None:
            draft.parameters[name] = DraftParameter(name, Scalar(text, False, span), (), before.title, span)
            sources.append(source)
        elif ("parameter", name) not in draft.broken:
            named = Source("--set", name)
            known = f"its parameters are {listing(draft.parameters)}" if draft.parameters else "it has no parameters"
            message = f"the ruleset has no parameter `{shorten(name, 40)}`"
            hint = nearest(name, draft.parameters) or known
            problems.append(Problem("unknown-name", message, Span(named, 0, len(name)), hint))
    return sources


def _strata(rules: list[Rule], draft: Draft, problems: list[Problem]) -> list[Rule]:
    """The rules with their strata, in the order in which they run; a problem for each circle among them."""
    try:
        levels = strata(rules)
    except Circle as error:
        for names in error.circles:
            path = " → ".join(f"`{name}`" for name in (*names, names[0])[:MOST_SHOWN])
            more = " → …" if len(names) >= MOST_SHOWN else ""
            related = tuple((f"the rule `{name}`", draft.rules[name].span) for name in names[1:MOST_SHOWN])
            message = f"rules trigger each other in a circle at one instant: {path}{more}"
            span, hint = draft.rules[names[0]].span, "schedule one of them with `at:`"
            problems.append(Problem("circle", message, span, hint, related))
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
    declarations = Declarations(_subject(draft, problems), zone, problems=problems)
    declarer = Declarer(draft, declarations)
    declarer.declare()
    built = [RuleBuilder(declarer, rule, Scope(declarations)).build() for rule in draft.rules.values()]
    rules = [rule for rule in built if rule is not None]
    firing = [rule for rule in rules if not rule.voids]
    void_rules = sorted((rule for rule in rules if rule.voids), key=lambda rule: rule.name)
    terminal = _terminal(draft, declarations)
    whole = Whole(draft, declarations, _strata(firing, draft, problems), void_rules, terminal)
    for row in CHECKS:
        row(whole)
    for row in CHECKS_OF_ALL:
        if _sound(problems):
            row(whole)
    if not _sound(problems):
        raise RulesetError(problems)
    sources = [*draft.sources, *([calendar_source] if calendar_source is not None else []), *extra]
    version = draft.settings.get("version")
    name = draft.settings.get("ruleset")
    return Ruleset(
        name=name.text if name is not None else source.name,
        version=version.text if version is not None else "",
        title=draft.title,
        note=draft.note,
        subject=declarations.subject,
        zone=zone,
        calendar=calendar,
        kinds=whole.kinds,
        parameters=tuple(parameter for _, parameter in declarations.parameters.values()),
        rules=tuple(whole.rules),
        void_rules=tuple(void_rules),
        terminal=terminal,
        span=draft.span,
        warnings=sort_problems(problem for problem in problems if problem.warning),
        digest=_digest(sources),
    )


def _sound(problems: Iterable[Problem]) -> bool:
    return all(problem.warning for problem in problems)


def _digest(sources: Iterable[Source]) -> str:
    digest = hashlib.sha256()
    for source in sorted(sources, key=lambda s: (s.name.rsplit("/", 1)[-1], s.text)):
        name = source.name.rsplit("/", 1)[-1]
        digest.update(f"{name}\0{len(source.text)}\0{source.text}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
