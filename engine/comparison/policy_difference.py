"""What changed between two rulesets, part by part: parameters, kinds, rules and what follows from them.

Parts are compared as they are written; what a part says in words is for `tell_policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from ..facts import Field, Kind, Titles
from ..ground.problems import Span
from ..model import Constant, Derivation, Parameter, Rule, Ruleset
from ..order import kinds_read
from ..speech.literals import literal
from ..why.replay import conjuncts
from .policy_change import Detail, PartChange, PolicyDifferenceRecord
from .policy_reach import decided, downstream, telling

Part = TypeVar("Part", Parameter, Kind, Rule)


def differences(before: Ruleset, after: Ruleset) -> PolicyDifferenceRecord:
    """What changed between two rulesets.

    Parameters
    ----------
    before, after : strikeout.model.Ruleset
        The rulesets; names join their parts, and equal rules under new names are renamed ones.
    """
    parameters = _parts(
        "parameter",
        {p.name: p for p in before.parameters},
        {p.name: p for p in after.parameters},
        lambda one, other: _parameter(before, after, one, other),
    )
    kinds = _parts(
        "kind",
        {k.name: k for k in _used(before)},
        {k.name: k for k in _used(after)},
        lambda a, b: _kind(before, after, a, b),
    )
    rules = _renamed(
        _parts(
            "rule",
            {r.name: r for r in (*before.rules, *before.void_rules)},
            {r.name: r for r in (*after.rules, *after.void_rules)},
            lambda one, other: _rule(before, after, one, other),
        ),
        lambda one, other: _rule(before, after, one, other),
    )
    direct = {kind for ruleset in (before, after) for kind in decided(ruleset, parameters, kinds, rules)}
    through = {kind for ruleset in (before, after) for kind in downstream(ruleset, direct)} - direct
    order = [kind.name for kind in (*after.kinds, *before.kinds)]
    return PolicyDifferenceRecord(
        before=before,
        after=after,
        header=tuple(_header(before, after)),
        parameters=parameters,
        kinds=kinds,
        rules=rules,
        affected=tuple(dict.fromkeys(name for name in order if name in direct)),
        affected_through=tuple(dict.fromkeys(name for name in order if name in through)),
    )


def _used(ruleset: Ruleset) -> Iterator[Kind]:
    """The kinds that the ruleset has to do with; of a shared vocabulary the others are left out."""
    used: set[int] = set()
    for rule in (*ruleset.rules, *ruleset.void_rules):
        used |= kinds_read(rule) | {kind.index for kind in rule.triggers}
        used |= {d.kind.index for _, _, d in rule.derivations()} | {target.kind.index for target in rule.voids}
    return (kind for kind in ruleset.kinds if kind.index in used or kind is ruleset.terminal)


def _parts(
    part: str, old: Mapping[str, Part], new: Mapping[str, Part], compare: Callable[[Part, Part], Iterator[Detail]]
) -> tuple[PartChange, ...]:
    found: list[PartChange] = []
    for name, after in new.items():
        before = old.get(name)
        if before is None:
            found.append(PartChange(part, "added", name, name, None, after, ()))
        else:
            details = tuple(compare(before, after))
            if details:
                found.append(PartChange(part, "changed", name, name, before, after, details))
    gone: list[str] = [name for name in old if name not in new]
    return (*found, *(PartChange(part, "removed", name, name, old[name], None, ()) for name in gone))


def _renamed(
    changes: Sequence[PartChange], compare: Callable[[Rule, Rule], Iterator[Detail]]
) -> tuple[PartChange, ...]:
    """The changes, a rule that went and an equal one that came made one."""
    gone = [change for change in changes if change.how == "removed"]
    found: list[PartChange] = []
    for change in changes:
        if change.how == "added" and isinstance(change.after, Rule):
            for other in gone:
                if isinstance(other.before, Rule) and not any(telling(compare(other.before, change.after))):
                    details = tuple(compare(other.before, change.after))
                    change = PartChange("rule", "renamed", change.name, other.name, other.before, change.after, details)
                    gone.remove(other)
                    break
        if change.how != "removed":
            found.append(change)
    return (*found, *gone)


# What differs.


def _header(before: Ruleset, after: Ruleset) -> Iterator[Detail]:
    for what, old, new in (
        ("version", before.version, after.version),
        ("subject", before.subject, after.subject),
        ("zone", before.zone.name, after.zone.name),
        ("calendar", *(None if r.calendar is None else r.calendar.name for r in (before, after))),
        ("terminal", *(None if r.terminal is None else r.terminal.name for r in (before, after))),
    ):
        if old != new:
            yield Detail(str(what), "", old, new)
    yield from _texts("note", before.note, after.note)


def _texts(what: str, before: Titles, after: Titles) -> Iterator[Detail]:
    """Titles or notes that differ, by language."""
    old, new = dict(before), dict(after)
    for language in dict.fromkeys([*old, *new]):
        if old.get(language) != new.get(language):
            yield Detail(what, language, old.get(language), new.get(language))


def _parameter(one: Ruleset, other: Ruleset, before: Parameter, after: Parameter) -> Iterator[Detail]:
    if before.type.name != after.type.name:
        yield Detail("type", "", before.type.name, after.type.name)
    old, new = _dated(one, before), _dated(other, after)
    for date in sorted({*old, *new}):
        values = [
            None if date not in dated else literal(ruleset, parameter.type, dated[date])
            for ruleset, parameter, dated in ((one, before, old), (other, after, new))
        ]
        if values[0] != values[1]:
            yield Detail("value", date, values[0], values[1])
    yield from _texts("title", before.title, after.title)


def _dated(ruleset: Ruleset, parameter: Parameter) -> dict[str, Constant | None]:
    """The values of a parameter by the date from which on they hold; by nothing, where there is one value."""
    if not parameter.dated:
        return {"": parameter.value}
    return {ruleset.zone.format(start): value for start, value in parameter.dated}


def _kind(one: Ruleset, other: Ruleset, before: Kind, after: Kind) -> Iterator[Detail]:
    for what, old, new in (
        ("given", str(before.given).lower(), str(after.given).lower()),
        ("effect", before.effect or None, after.effect or None),
        ("severity", *(str(kind.severity) if kind.effect else None for kind in (before, after))),
        ("ends", *(_ends(r, kind) for r, kind in ((one, before), (other, after)))),
    ):
        if old != new:
            yield Detail(str(what), "", old, new)
    fields = [{f.name: _field(r, f) for f in kind.fields} for r, kind in ((one, before), (other, after))]
    for name in dict.fromkeys([*fields[1], *fields[0]]):
        if fields[0].get(name) != fields[1].get(name):
            yield Detail("field", name, fields[0].get(name), fields[1].get(name))
    yield from _texts("title", before.title, after.title)


def _ends(ruleset: Ruleset, kind: Kind) -> str | None:
    if kind.ends is None:
        return None
    ended = ruleset.kinds[kind.ends.kind]
    by = ", ".join(kind.fields[slot].name for _, slot in kind.ends.slots)
    return ended.name + (f" by {by}" if by else "")


def _field(ruleset: Ruleset, field: Field) -> str:
    if field.default is not None:
        return f"{field.type} = {literal(ruleset, field.type, field.default)}"
    return str(field.type) if field.required else f"optional {field.type}"


def _rule(one: Ruleset, other: Ruleset, before: Rule, after: Rule) -> Iterator[Detail]:
    triggers = [" or ".join(kind.name for kind in rule.triggers) for rule in (before, after)]
    if triggers[0] != triggers[1]:
        yield Detail("when", "", triggers[0], triggers[1])
    for what in ("starts", "ends"):
        instants = [(r, getattr(rule, what)) for r, rule in ((one, before), (other, after))]
        old, new = (None if at is None else r.zone.format(at) for r, at in instants)
        if old != new:
            yield Detail("from" if what == "starts" else "until", "", old, new)
    joins = [{join.alias: as_written(join.selection.span) for join in rule.joins} for rule in (before, after)]
    for alias in dict.fromkeys([*joins[1], *joins[0]]):
        if joins[0].get(alias) != joins[1].get(alias):
            yield Detail("with", alias, joins[0].get(alias), joins[1].get(alias))
    lets = [{let.name: let for let in rule.lets} for rule in (before, after)]
    for name in dict.fromkeys([*lets[1], *lets[0]]):
        pair = [None if name not in known else known[name].value for known in lets]
        texts = [None if name not in known else as_written(known[name].span) for known in lets]
        if texts[0] != texts[1]:
            yield Detail("let", name, texts[0], texts[1], (pair[0], pair[1]))
    yield from _conditions(before, after)
    yield from _follows("then", "", before.then, after.then)
    yield from _ladders(before, after)
    voids = [", ".join(as_written(target.span) for target in rule.voids) or None for rule in (before, after)]
    if voids[0] != voids[1]:
        yield Detail("void", "", voids[0], voids[1])
    if before.cite != after.cite:
        yield Detail("cite", "", before.cite or None, after.cite or None)
    yield from _texts("title", before.title, after.title)
    yield from _texts("note", before.note, after.note)


def _conditions(before: Rule, after: Rule) -> Iterator[Detail]:
    """The parts of the condition that came or went."""
    old, new = ({as_written(part.span): part for part in conjuncts(rule.condition)} for rule in (before, after))
    gone = [text for text in old if text not in new]
    come = [text for text in new if text not in old]
    if len(gone) == len(come) == 1:
        yield Detail("if", "", gone[0], come[0], (old[gone[0]], new[come[0]]))
        return
    for text in gone:
        yield Detail("if", "", text, None, (old[text], None))
    for text in come:
        yield Detail("if", "", None, text, (None, new[text]))


def _follows(what: str, name: str, before: Sequence[Derivation], after: Sequence[Derivation]) -> Iterator[Detail]:
    old, new = ("; ".join(derived(d) for d in derivations) or None for derivations in (before, after))
    if old != new:
        yield Detail(what, name, old, new, derivations=(tuple(before), tuple(after)))


def _ladders(before: Rule, after: Rule) -> Iterator[Detail]:
    """A ladder's measure, and its steps one by one."""
    measures = [None if rule.ladder is None else rule.ladder.of for rule in (before, after)]
    texts = [None if of is None else as_written(of.span) for of in measures]
    if texts[0] != texts[1]:
        yield Detail("of", "", texts[0], texts[1], (measures[0], measures[1]))
    steps = [dict(rule.ladder.steps) if rule.ladder is not None else {} for rule in (before, after)]
    for threshold in sorted({*steps[0], *steps[1]}):
        yield from _follows("step", str(threshold), steps[0].get(threshold, ()), steps[1].get(threshold, ()))


def as_written(span: Span) -> str:
    """What a span covers, on one line."""
    return " ".join(span.text.split())


def derived(derivation: Derivation) -> str:
    """What is derived, as written: the kind and the fields with expressions of their own."""
    given = [] if derivation.at is None else [f"at: {as_written(derivation.at.span)}"]
    for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
        if value is not None and value.span != derivation.span:
            given.append(f"{field.name}: {as_written(value.span)}")
    return derivation.kind.name + (f" {{{', '.join(given)}}}" if given else "")
