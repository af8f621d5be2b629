"""The engine `rete`: conditions are matched by durable_rules on facts that carry what the graph view knows.

For each stratum and kind of fact there is one network. A trigger becomes one fact of it: for each expression that a
condition compares with a constant a feature with its value (absent where it is missing, and then no test holds), for
each other part of a condition whether it holds. What the library must not be asked (absence, counts, sums, windows,
joins, texts) the graph view answers; what holds, the network finds. Firings take effect in the order of semantics 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from strikeout.graphs import GraphView

from ..facts import INTEGER, Value
from ..functions import Place
from ..model import (
    Aggregate,
    Expression,
    JoinedField,
    LetValue,
    Literal,
    Logic,
    Operation,
    ParameterValue,
    Ruleset,
    walk,
)
from .durable import BOUND, Conjunction, Matcher, Test
from .evaluate import Compiler, Evaluator, Fault, Frame, shapes
from .rules import Firing, try_rule
from .runs import Entry
from .timeline import BaseProgram

ALTERNATIVES = 8
"""Into how many conjunctions a condition with `or` is expanded; beyond that its parts are features of their own."""

_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LARGEST = BOUND // 2


@dataclass(slots=True)
class _Feature:
    """A property of the facts of a network: its name, how it is computed, and for an enum's members their numbers."""

    name: str
    evaluator: Evaluator
    members: dict[str, int] | None = None

    def number(self, frame: Frame) -> int | None:
        """The value as an integer of the network; None where it is missing."""
        value: Value = self.evaluator(frame)
        if value is None:
            return None
        if self.members is not None:
            return self.members[str(value)]
        number = int(value)
        return max(-_LARGEST, min(number, _LARGEST))


@dataclass(slots=True)
class _Network:
    """The rules of one stratum that one kind triggers, and the matcher of their conditions."""

    rules: list[int]
    features: dict[tuple[object, ...], _Feature] = field(default_factory=dict)
    by_rule: list[list[_Feature]] = field(default_factory=list)
    matcher: Matcher | None = None


class ReteProgram(BaseProgram):
    """A ruleset compiled to durable_rules networks, one for each stratum and kind of trigger."""

    def __init__(self, ruleset: Ruleset) -> None:
        super().__init__(ruleset)
        place = Place(ruleset.zone, ruleset.calendar)
        compilers = [Compiler(rule, place, ruleset.parameters, self._indices) for rule in ruleset.rules]
        self._networks: dict[tuple[int, int], _Network] = {}
        for kind in ruleset.kinds:
            strata: dict[int, list[int]] = {}
            for number in self.by_kind[kind.index]:
                strata.setdefault(ruleset.rules[number].stratum, []).append(number)
            for stratum, numbers in strata.items():
                network = _Network(numbers)
                conditions = [self._condition(network, number, compilers[number]) for number in numbers]
                network.matcher = Matcher(f"{ruleset.name}/{stratum}/{kind.name}", conditions)
                self._networks[kind.index, stratum] = network
        self._shapes = shapes(ruleset, self._indices.rows)

    def decide(self, tried: Sequence[tuple[int, Entry]], view: GraphView, step: int) -> list[Firing]:
        """Which rules fire; see `Program.decide`."""
        if not tried:
            return []
        stratum = self.ruleset.rules[tried[0][0]].stratum
        entries = {entry.place: entry for _, entry in tried}
        firings: list[Firing] = []
        for entry in entries.values():
            network = self._networks[entry.fact.kind.index, stratum]
            firings.extend(self._match(network, entry, view, step))
        if len(entries) > 1:
            firings.sort(key=lambda firing: (firing.rule, firing.trigger.place))
        return firings

    def _match(self, network: _Network, entry: Entry, view: GraphView, step: int) -> list[Firing]:
        features: dict[str, int] = {}
        frames: list[tuple[Frame, int] | None] = []
        firings: list[Firing] = []
        for number, needed in zip(network.rules, network.by_rule, strict=True):
            rule = self.rules[number]
            try:
                frame = rule.frame(entry.fact, step, view)
                if frame is None:
                    frames.append(None)
                    continue
                for feature in needed:
                    if feature.name not in features:
                        value = feature.number(frame)
                        if value is not None:
                            features[feature.name] = value
                crossing = rule.crossing(frame)
            except Fault:
                # A feature was computed ahead of the condition that may not need it: ask as the language says.
                frames.append(None)
                firing = try_rule(rule, number, entry, view, step)
                if firing is not None:
                    firings.append(firing)
                continue
            if rule.of is not None:
                features[f"ladder{number}"] = crossing
            features[f"rule{number}"] = 1
            frames.append((frame, crossing))
        if network.matcher is None or not features:
            return firings
        matched = network.matcher.match(features)
        for place in matched:
            found = frames[place]
            if found is not None:
                firings.append(Firing(network.rules[place], entry, found[0], found[1]))
        firings.sort(key=lambda firing: firing.rule)
        return firings

    # Conditions to conjunctions of tests.

    def _condition(self, network: _Network, number: int, compiler: Compiler) -> list[Conjunction]:
        rule = self.rules[number]
        needed: list[_Feature] = []
        gate = [Test(f"rule{number}", "==", 1)]
        if rule.of is not None:
            gate.append(Test(f"ladder{number}", ">=", 1))
        alternatives: list[Conjunction] = [()]
        for part in _parts(rule.rule.condition):
            options = self._alternatives(part, network, number, compiler, needed)
            if len(alternatives) * len(options) > ALTERNATIVES:
                options = [(self._boolean(part, network, number, compiler, needed),)]
            alternatives = [(*left, *right) for left, right in product(alternatives, options)]
        network.by_rule.append(list({feature.name: feature for feature in needed}.values()))
        return [tuple(dict.fromkeys((*gate, *tests))) for tests in alternatives]

    def _alternatives(
        self, part: Expression, network: _Network, number: int, compiler: Compiler, needed: list[_Feature]
    ) -> list[Conjunction]:
        operands: tuple[Expression, ...] = (part,)
        if isinstance(part, Logic) and part.operator == "or" and len(part.operands) <= ALTERNATIVES:
            plain = not any(isinstance(operand, Logic) for operand in part.operands)
            operands = part.operands if plain else operands
        return [(self._test(operand, network, number, compiler, needed),) for operand in operands]

    def _test(
        self, part: Expression, network: _Network, number: int, compiler: Compiler, needed: list[_Feature]
    ) -> Test:
        if isinstance(part, Aggregate) and part.function in ("any", "none"):
            count = Aggregate(INTEGER, part.span, "count", part.selection, None, part.window)
            feature = self._feature(count, network, number, compiler, needed)
            return Test(feature.name, ">=", 1) if part.function == "any" else Test(feature.name, "==", 0)
        if isinstance(part, Operation) and part.operator in _FLIPPED:
            left, right = part.operands
            operator = part.operator
            constant = self._constant(right)
            if constant is None:
                left, right, operator = right, left, _FLIPPED[operator]
                constant = self._constant(right)
            if constant is not None and left.type.name not in ("id", "text") and self._constant(left) is None:
                feature = self._feature(left, network, number, compiler, needed)
                return Test(feature.name, operator, constant)
        return self._boolean(part, network, number, compiler, needed)

    def _constant(self, expression: Expression) -> int | None:
        value: object = None
        if isinstance(expression, Literal):
            value = expression.value
        elif isinstance(expression, ParameterValue):
            value = self.ruleset.parameters[expression.parameter].value
        if isinstance(value, str):
            return expression.type.members.index(value) if expression.type.members else None
        if isinstance(value, int) and abs(value) < _LARGEST:
            return int(value)
        return None

    def _boolean(
        self, part: Expression, network: _Network, number: int, compiler: Compiler, needed: list[_Feature]
    ) -> Test:
        condition = compiler.compile(part)
        feature = self._named(("holds", part), part, lambda frame: bool(condition(frame)), network, number, needed)
        return Test(feature.name, "==", 1)

    def _feature(
        self,
        expression: Expression,
        network: _Network,
        number: int,
        compiler: Compiler,
        needed: list[_Feature],
    ) -> _Feature:
        evaluator = compiler.compile(expression)
        return self._named(("value", expression), expression, evaluator, network, number, needed)

    def _named(
        self,
        identity: tuple[object, ...],
        expression: Expression,
        evaluator: Evaluator,
        network: _Network,
        number: int,
        needed: list[_Feature],
    ) -> _Feature:
        """The feature for an expression; rules share it where it means the same to them."""
        own = any(isinstance(node, LetValue | JoinedField) for node in walk(expression))
        key = (*identity, self.ruleset.rules[number].backward, number if own else -1)
        if key not in network.features:
            members = {member: place for place, member in enumerate(expression.type.members)}
            name = f"f{len(network.features)}"
            network.features[key] = _Feature(name, evaluator, members if identity[0] == "value" and members else None)
        needed.append(network.features[key])
        return network.features[key]


def _parts(condition: Expression | None) -> Iterator[Expression]:
    if isinstance(condition, Logic) and condition.operator == "and":
        for operand in condition.operands:
            yield from _parts(operand)
    elif condition is not None:
        yield condition
