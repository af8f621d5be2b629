"""Which kinds of fact do what: void others, lead to a sanction, or answer one. All of it follows from the rules."""

from __future__ import annotations

from ..facts import Kind
from ..model import Aggregate, Ruleset, rule_expressions, walk
from ..order import kinds_read


def void_kinds(ruleset: Ruleset) -> frozenset[int]:
    """The kinds that void others."""
    return frozenset(kind.index for rule in ruleset.void_rules for kind in rule.triggers)


def harmful_kinds(ruleset: Ruleset) -> frozenset[int]:
    """The kinds from which a chain of rules leads to a fact with an effect, or to the terminal one."""
    ends = {kind.index for kind in ruleset.kinds if kind.effect or kind is ruleset.terminal}
    return _leading_to(ruleset, ends)


def answering_kinds(ruleset: Ruleset) -> frozenset[int]:
    """The given kinds that may answer a sanction: some rule asks for them, or they lead to a fact that ends one.

    A kind that can be voided, that is derived or that leads to a sanction is no answer.
    """
    asked = set(_leading_to(ruleset, {kind.index for kind in ruleset.kinds if kind.ends is not None}))
    for rule in ruleset.rules:
        asked |= kinds_read(rule)
    charges = {target.kind.index for rule in ruleset.void_rules for target in rule.voids}
    charges |= {kind.index for kind in ruleset.derivable} | void_kinds(ruleset) | harmful_kinds(ruleset)
    return frozenset(kind.index for kind in ruleset.kinds if kind.given and kind.index in asked - charges)


def _leading_to(ruleset: Ruleset, kinds: set[int]) -> frozenset[int]:
    found = set(kinds)
    while True:
        more = {
            kind.index
            for rule in ruleset.rules
            if any(derivation.kind.index in found for _, _, derivation in rule.derivations())
            for kind in rule.triggers
        } - found
        if not more:
            return frozenset(found)
        found |= more


def voids_add_up(ruleset: Ruleset) -> bool:
    """Whether what a fact voids is the same whichever other facts there are: no void rule counts or joins."""
    return not any(
        rule.joins or any(isinstance(node, Aggregate) for part in rule_expressions(rule) for node in walk(part))
        for rule in ruleset.void_rules
    )


def only_voids(ruleset: Ruleset, kind: Kind) -> bool:
    """Whether no rule but void rules takes note of a kind."""
    if kind.effect or kind.ends is not None or kind is ruleset.terminal:
        return False
    return not any(kind in rule.triggers or kind.index in kinds_read(rule) for rule in ruleset.rules)
