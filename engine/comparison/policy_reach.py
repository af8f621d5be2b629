"""How far changes of a policy reach: the kinds on which a changed part decides, and those that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..model import ParameterValue, Rule, Ruleset, rule_expressions, walk
from ..order import kinds_read
from .policy_change import Detail, PartChange


def telling(details: Iterable[Detail]) -> Iterator[Detail]:
    """The details that are more than titles, notes and clauses."""
    return (detail for detail in details if detail.what not in ("title", "note", "cite"))


def decided(
    ruleset: Ruleset, parameters: Sequence[PartChange], kinds: Sequence[PartChange], rules: Sequence[PartChange]
) -> Iterator[str]:
    """The kinds on which something that changed decides directly: what a void rule voids among them."""
    values = {c.name for c in parameters if c.how != "changed" or any(telling(c.details))}
    changed = {c.name for c in kinds if c.how == "changed" and any(telling(c.details))}
    named = {
        name
        for change in rules
        if change.how in ("added", "removed") or any(telling(change.details))
        for name in (change.name, change.old_name)
    }
    for rule in (*ruleset.rules, *ruleset.void_rules):
        uses = {ruleset.parameters[number].name for number in _parameters(rule)}
        touches = _read(ruleset, rule) | {kind.name for kind in rule.triggers}
        if rule.name in named or uses & values or touches & changed:
            yield from (derivation.kind.name for _, _, derivation in rule.derivations())
            yield from (target.kind.name for target in rule.voids)
    yield from changed


def _parameters(rule: Rule) -> set[int]:
    expressions = list(rule_expressions(rule))
    expressions += [key for target in rule.voids for _, key in target.by]
    nodes = (node for expression in expressions for node in walk(expression))
    return {node.parameter for node in nodes if isinstance(node, ParameterValue)}


def downstream(ruleset: Ruleset, kinds: set[str]) -> set[str]:
    """The kinds that rules derive from others, as their triggers or by reading them, however indirectly."""
    found = set(kinds)
    while True:
        more = {
            derivation.kind.name
            for rule in ruleset.rules
            for _, _, derivation in rule.derivations()
            if found & {*(kind.name for kind in rule.triggers), *_read(ruleset, rule)}
        } - found
        if not more:
            return found
        found |= more


def _read(ruleset: Ruleset, rule: Rule) -> set[str]:
    return {ruleset.kinds[index].name for index in kinds_read(rule)}
