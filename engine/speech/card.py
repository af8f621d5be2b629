"""A ruleset at a glance: what it is, its parameters, kinds and rules; as HTML for notebooks and as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from ..facts import Kind, Titles
from ..ground.problems import Span
from ..model import Derivation, Parameter, Rule, Ruleset
from .html import card, escape, folded, paragraph, table
from .literals import literal

WORDS = {
    "subject": ("评判对象 {}", "subject {}"),
    "calendar": ("工作日历 {}", "calendar {}"),
    "terminal": ("终局 {}", "terminal {}"),
    "version": ("版本 {}", "version {}"),
    "parameters": ("参数", "parameters"),
    "parameter": ("参数", "parameter"),
    "value": ("值", "value"),
    "meaning": ("含义", "meaning"),
    "from": ("自 {} 起 {}", "from {}: {}"),
    "kinds": ("事实种类", "kinds of fact"),
    "kind": ("种类", "kind"),
    "origin": ("来源", "given or derived"),
    "given": ("给出", "given"),
    "derived": ("推出", "derived"),
    "status": ("状态", "status"),
    "lasting": ("持久，级别 {}", "lasting, severity {}"),
    "interval": ("至 until 止，级别 {}", "until `until`, severity {}"),
    "ends": ("终止 {}", "ends {}"),
    "rules": ("规则", "rules"),
    "rule": ("规则", "rule"),
    "when": ("触发", "when"),
    "then": ("结果", "then"),
    "clause": ("依据", "clause"),
    "ladder": ("{} 的阶梯，依 {}", "the ladder of {}, by {}"),
    "by ladder": ("阶梯：{}", "ladder: {}"),
    "voids": ("作废 {}", "voids {}"),
    "reaching": ("达到", "reaching"),
    "warnings": ("警告", "warnings"),
}


def say(language: str, word: str, *values: object) -> str:
    """A word of cards, in `zh` or `en`."""
    return WORDS[word][0 if language == "zh" else 1].format(*values)


def titled(titles: Titles, language: str) -> str:
    """A text in a language, else in the other."""
    found = dict(titles)
    return found.get(language) or next(iter(found.values()), "")


def ruleset_card(ruleset: Ruleset, language: str = "en") -> str:
    """The ruleset as a piece of HTML that needs nothing else.

    Parameters
    ----------
    ruleset : Ruleset
        The checked ruleset.
    language : str
        `zh` or `en`; where a title lacks one, the other is shown.

    Examples
    --------
    >>> import strikeout
    >>> page = ruleset_card(strikeout.load("taobao-counterfeit").model)
    >>> "three strikes and points" in page, page.count("<table")
    (True, 3)
    """
    title = titled(ruleset.title, language) or ruleset.name
    pieces = [paragraph(title, " · ".join(_about(ruleset, language)))]
    note = titled(ruleset.note, language)
    if note:
        pieces.append(f"<p>{escape(note.strip(), 2_000)}</p>")
    if ruleset.parameters:
        columns = [say(language, word) for word in ("parameter", "value", "meaning")]
        found = [dict(zip(columns, _parameter(ruleset, p, language), strict=True)) for p in ruleset.parameters]
        rows = table(columns, found, len(found), codes=columns[:2])
        pieces.append(folded(f"{say(language, 'parameters')} ({len(found)})", rows, opened=len(found) <= 12))
    kinds = used_kinds(ruleset)
    columns = [say(language, word) for word in ("kind", "meaning", "origin", "status")]
    found = [dict(zip(columns, _kind(ruleset, kind, language), strict=True)) for kind in kinds]
    rows = table(columns, found, len(found), codes=columns[:1])
    pieces.append(folded(f"{say(language, 'kinds')} ({len(kinds)})", rows))
    columns = [say(language, word) for word in ("rule", "when", "then", "meaning", "clause")]
    found = [dict(zip(columns, row, strict=True)) for row in _rules(ruleset, language)]
    rows = table(columns, found, len(found), codes=columns[:1])
    pieces.append(folded(f"{say(language, 'rules')} ({len(found)})", rows, opened=True))
    pieces += [_ladder(rule, language) for rule in ruleset.rules if rule.ladder is not None]
    if ruleset.warnings:
        told = "".join(f"<li>{escape(str(problem), 500)}</li>" for problem in ruleset.warnings[:20])
        pieces.append(folded(f"{say(language, 'warnings')} ({len(ruleset.warnings)})", f"<ul>{told}</ul>"))
    return card(title, language, *pieces)


def ruleset_lines(ruleset: Ruleset, language: str = "en") -> list[str]:
    """The ruleset as lines for a prompt.

    Examples
    --------
    >>> import strikeout
    >>> print(ruleset_lines(strikeout.load("taobao-counterfeit").model)[-1])
      withdrawn      withdrawal  → voids upheld by complaint  a withdrawn complaint is as if never upheld [A10]
    """
    lines = [titled(ruleset.title, language) or ruleset.name, " · ".join(_about(ruleset, language))]
    if ruleset.parameters:
        shown = (
            f"{name} = {value}" for name, value, _ in (_parameter(ruleset, p, language) for p in ruleset.parameters)
        )
        lines.append(f"{say(language, 'parameters')}: {', '.join(shown)}")
    lines.append(f"{say(language, 'rules')}:")
    rows = list(_rules(ruleset, language))
    wide = [max((cell_len(row[place]) for row in rows), default=0) for place in range(3)]
    for row in rows:
        name, when, then = (text + " " * (width - cell_len(text)) for text, width in zip(row, wide, strict=False))
        clause = f" [{row[4]}]" if row[4] else ""
        lines.append(f"  {name}  {when}  → {then}  {row[3]}{clause}".rstrip())
    return lines


def used_kinds(ruleset: Ruleset) -> list[Kind]:
    """The kinds that the rules have to do with; of a shared vocabulary the others are left out."""
    rules = (*ruleset.rules, *ruleset.void_rules)
    used = {kind.index for rule in rules for kind in rule.triggers}
    used |= {derivation.kind.index for rule in rules for _, _, derivation in rule.derivations()}
    used |= {target.kind.index for rule in rules for target in rule.voids}
    used |= {join.selection.kind.index for rule in rules for join in rule.joins}
    return [kind for kind in ruleset.kinds if kind.index in used or kind is ruleset.terminal]


def _about(ruleset: Ruleset, language: str) -> Iterator[str]:
    yield ruleset.name
    if ruleset.version:
        yield say(language, "version", ruleset.version)
    yield say(language, "subject", ruleset.subject)
    yield ruleset.zone.name
    if ruleset.calendar is not None:
        yield say(language, "calendar", ruleset.calendar.name)
    if ruleset.terminal is not None:
        yield say(language, "terminal", ruleset.terminal.name)


def _parameter(ruleset: Ruleset, parameter: Parameter, language: str) -> tuple[str, str, str]:
    value = literal(ruleset, parameter.type, parameter.value)
    if parameter.dated:
        value = "; ".join(
            say(language, "from", ruleset.zone.format(start)[:10], literal(ruleset, parameter.type, constant))
            for start, constant in parameter.dated
        )
    return parameter.name, value, titled(parameter.title, language)


def _kind(ruleset: Ruleset, kind: Kind, language: str) -> tuple[str, str, str, str]:
    origin = [say(language, "given")] if kind.given else []
    origin += [say(language, "derived")] if kind in ruleset.derivable else []
    status = [say(language, kind.effect, kind.severity)] if kind.effect else []
    status += [say(language, "ends", ruleset.kinds[kind.ends.kind].name)] if kind.ends is not None else []
    return kind.name, titled(kind.title, language), ", ".join(origin), ", ".join(status)


def _rules(ruleset: Ruleset, language: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Name, trigger, what follows, title and clauses of each rule, those that void last."""
    for rule in (*ruleset.rules, *ruleset.void_rules):
        then = _kinds(rule.then)
        if rule.ladder is not None:
            steps = (f"{threshold} {_kinds(derivations)}" for threshold, derivations in rule.ladder.steps)
            then = say(language, "by ladder", ", ".join(steps))
        if rule.voids:
            then = say(language, "voids", ", ".join(_text(target.span) for target in rule.voids))
        meaning = titled(rule.title, language)
        if not meaning and rule.condition is not None:
            meaning = f"if {_text(rule.condition.span)}"
        yield rule.name, " or ".join(kind.name for kind in rule.triggers), then, meaning, rule.cite


def _kinds(derivations: Sequence[Derivation]) -> str:
    return ", ".join(derivation.kind.name for derivation in derivations)


def _with_fields(derivation: Derivation) -> str:
    """A kind that is derived, with the fields for which the rule has expressions of its own."""
    given = [
        f"{field.name} = {_text(value.span)}"
        for field, value in zip(derivation.kind.fields, derivation.values, strict=True)
        if value is not None and value.span != derivation.span
    ]
    return derivation.kind.name + (f" ({', '.join(given)})" if given else "")


def _ladder(rule: Rule, language: str) -> str:
    if rule.ladder is None:
        return ""
    columns = [say(language, "reaching"), say(language, "then")]
    rows = [
        dict(zip(columns, (str(at), ", ".join(map(_with_fields, found))), strict=True))
        for at, found in rule.ladder.steps
    ]
    caption = say(language, "ladder", rule.name, _text(rule.ladder.of.span))
    return table(columns, rows, len(rows), caption)


def _text(span: Span) -> str:
    """What a span covers, on one line."""
    return " ".join(span.text.split())
