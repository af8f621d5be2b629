"""What generated code keeps and names: faults, derivations, indices, and how often things happen in a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from strikeout.facts import Kind
from strikeout.functions import choose
from strikeout.ground.problems import Span
from strikeout.model import (
    Aggregate,
    Derivation,
    Expression,
    LetValue,
    Operation,
    Rule,
    Ruleset,
    Selection,
    parts,
    selections,
    walk,
)

MANY = 1_000_000
DEEPEST = 20
LARGEST = 300


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the ruleset at which a run can fail (semantics 11): the code, what to say, and where."""

    code: str
    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A derivation by its number: the rule, its number, the ladder's threshold if it is one, and the derivation."""

    rule: Rule
    number: int
    threshold: int | None
    derivation: Derivation


@dataclass(slots=True)
class Keys:
    """A class of keys: what indices have in common whose `by` names the same fields.

    `names` are the fields, sorted. All indices of the class share one record per key; `fields` says which of its
    cells holds what, as pairs of the index's number and the name of what is kept.
    """

    number: int
    names: tuple[str, ...]
    fields: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Index:
    """The facts of one kind for which `where` holds, by their `keys` (slots in the order of the class's names).

    `kept` is what is kept for each key, in the order in which it was asked for: `count`, `at`, `step`, `newest`,
    `first`, `total:SLOT`, `min:SLOT`, `max:SLOT` for the newest or all facts; `ats`, `steps`, `facts`, `sums:SLOT`,
    `least:SLOT`, `most:SLOT` for each of them, which windows need.
    """

    number: int
    kind: Kind
    keys: Keys
    slots: tuple[int, ...]
    where: Expression | None
    fallible: bool
    text: str
    kept: list[str] = field(default_factory=list)


def can_fail(expression: Expression) -> bool:
    """Whether an expression without aggregates and `let` can raise an arithmetic fault."""
    for node in walk(expression):
        if isinstance(node, Operation):
            types = tuple("enum" if o.type.is_enum else o.type.name for o in node.operands)
            row = choose(node.operator, types)
            if row is None or row.can_fail:
                return True
    return False


@dataclass(slots=True)
class Plan:
    """What is numbered while code is written; numbers stay the same when it is written again."""

    sites: list[Site] = field(default_factory=list)
    derivations: list[Reasoned] = field(default_factory=list)
    indices: list[Index] = field(default_factory=list)
    classes: list[Keys] = field(default_factory=list)
    _sites: dict[tuple[str, str, int, int, str], int] = field(default_factory=dict)
    _indices: dict[tuple[object, ...], Index] = field(default_factory=dict)
    _derivations: dict[int, int] = field(default_factory=dict)

    def site(self, code: str, message: str, span: Span) -> int:
        """The number of a place that can fail, from 1."""
        identity = (code, message, span.start, span.end, span.source.name)
        if identity not in self._sites:
            self.sites.append(Site(code, message, span))
            self._sites[identity] = len(self.sites)
        return self._sites[identity]

    def number_derivations(self, rules: Sequence[Rule]) -> None:
        """Number every derivation of the rules."""
        for number, rule in enumerate(rules):
            for threshold, _, derivation in rule.derivations():
                self._derivations[id(derivation)] = len(self.derivations)
                self.derivations.append(Reasoned(rule, number, threshold, derivation))

    def derivation(self, derivation: Derivation) -> int:
        """The number of a derivation."""
        return self._derivations[id(derivation)]

    def keys(self, names: tuple[str, ...]) -> Keys:
        """The class of keys of these names."""
        for known in self.classes:
            if known.names == names:
                return known
        self.classes.append(Keys(len(self.classes), names))
        return self.classes[-1]

    def index(self, kind: Kind, slots: Iterable[int], where: Expression | None, span: Span) -> Index:
        """The index of a kind's facts, made where there is none yet."""
        by = sorted(slots, key=lambda slot: kind.fields[slot].name)
        identity = (kind.index, tuple(by), where)
        found = self._indices.get(identity)
        if found is None:
            keys = self.keys(tuple(kind.fields[slot].name for slot in by))
            fallible = where is not None and can_fail(where)
            text = " ".join(span.text.split())
            found = Index(len(self.indices), kind, keys, tuple(by), where, fallible, text)
            self._indices[identity] = found
            self.indices.append(found)
        return found

    def keep(self, index: Index, what: str) -> None:
        """Have something kept for each key of an index."""
        if what not in index.kept:
            index.kept.append(what)
            index.keys.fields.append((index.number, what))

    def of_kind(self, kind: Kind) -> list[Index]:
        """The indices that a kind's facts belong to."""
        return [index for index in self.indices if index.kind is kind and (index.kept or index.fallible)]


def index_of(plan: Plan, selection: Selection) -> Index:
    """The index of a selection."""
    return plan.index(selection.kind, [slot for slot, _ in selection.by], selection.where, selection.span)


@dataclass(frozen=True, slots=True)
class Bounds:
    """At most how often, whatever brings a step: facts of a kind in it, derived, scheduled; rules tried."""

    bringing: frozenset[int]
    facts: tuple[int, ...]
    derived: tuple[int, ...]
    scheduled: tuple[int, ...]
    tried: tuple[int, ...]


def step_bounds(ruleset: Ruleset) -> Bounds:
    """Count what one step can hold; every number is cut off at `MANY`."""
    kinds = len(ruleset.kinds)
    later = {d.kind.index for rule in ruleset.rules for _, _, d in rule.derivations() if d.at is not None}
    bringing = frozenset({kind.index for kind in ruleset.kinds if kind.given} | later)
    most_facts, most_derived, most_scheduled = [0] * kinds, [0] * kinds, [0] * kinds
    most_tried = [0] * len(ruleset.rules)
    for brought in bringing:
        facts, derived, scheduled = [0] * kinds, [0] * kinds, [0] * kinds
        facts[brought] = 1
        for number, rule in enumerate(ruleset.rules):
            tried = min(sum(facts[kind.index] for kind in rule.triggers), MANY)
            most_tried[number] = max(most_tried[number], tried)
            groups = [rule.then] if rule.ladder is None else [group for _, group in rule.ladder.steps]
            fired = tried if rule.ladder is None else min(tried, 1)
            now, ahead = [0] * kinds, [0] * kinds
            for group in groups:
                for kind in ruleset.kinds:
                    each = [d for d in group if d.kind is kind]
                    now[kind.index] = max(now[kind.index], fired * sum(d.at is None for d in each))
                    ahead[kind.index] = max(ahead[kind.index], fired * sum(d.at is not None for d in each))
            for place in range(kinds):
                facts[place] = min(facts[place] + now[place], MANY)
                derived[place] = min(derived[place] + now[place], MANY)
                scheduled[place] = min(scheduled[place] + ahead[place], MANY)
        most_facts = [max(pair) for pair in zip(most_facts, facts, strict=True)]
        most_derived = [max(pair) for pair in zip(most_derived, derived, strict=True)]
        most_scheduled = [max(pair) for pair in zip(most_scheduled, scheduled, strict=True)]
    return Bounds(bringing, tuple(most_facts), tuple(most_derived), tuple(most_scheduled), tuple(most_tried))


def joint_bound(ruleset: Ruleset, triggers: Sequence[Kind], bounds: Bounds) -> int:
    """At most how many facts of these kinds one step can hold."""
    number = next((n for n, rule in enumerate(ruleset.rules) if rule.triggers == tuple(triggers)), None)
    if number is None:
        return sum(bounds.facts[kind.index] for kind in triggers)
    return bounds.tried[number]


def computed_ahead(roots: Iterable[Expression], lets: Sequence[Expression]) -> list[Expression]:
    """The parts to compute ahead of what needs them, in order: else code would nest too deeply or grow too large.

    A fault met ahead counts only where the part is really needed.
    """
    roots = list(roots)
    heights: dict[int, int] = {}
    sizes: dict[int, int] = {}
    found: list[Expression] = []
    chosen: set[int] = set()

    def visit(node: Expression) -> None:
        if id(node) in heights:
            return
        height, size = 0, 1
        outside = set()
        if isinstance(node, Aggregate):
            outside = {id(part) for s in selections(node) for part in (s.where, *(key for _, key in s.by))}
        inner = [part for part in parts(node) if id(part) not in outside]
        if isinstance(node, LetValue):
            inner = [lets[node.let]]
        for part in inner:
            visit(part)
            height = max(height, heights[id(part)])
            size = min(size + sizes[id(part)], MANY)
        too_large = size > LARGEST and any(part is let for part in inner for let in lets)
        if too_large:
            for part in inner:
                if id(part) not in chosen:
                    chosen.add(id(part))
                    found.append(part)
            height, size = 1, 1
        if height + 1 >= DEEPEST:
            if id(node) not in chosen:
                chosen.add(id(node))
                found.append(node)
            height, size = 0, 1
        heights[id(node)] = height + 1
        sizes[id(node)] = size

    for root in roots:
        visit(root)
    return found
