"""Which expressions are known, so never missing, where a rule's condition holds (the ruleset language, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..functions import AGGREGATES, COMPARISONS
from ..model import (
    Aggregate,
    Choice,
    Expression,
    JoinedField,
    Let,
    LetValue,
    Literal,
    Logic,
    Now,
    Operation,
    OwnField,
    ParameterValue,
    SubjectName,
    TriggerField,
)
from .scope import Scope

_KNOWN_AGGREGATES = frozenset(row.name for row in AGGREGATES if row.known)


def known_from(condition: Expression | None) -> frozenset[Expression]:
    """The expressions that the top-level `and` parts of a condition compare, or test by `known`."""
    pending = [condition] if condition is not None else []
    found: set[Expression] = set()
    while pending:
        part = pending.pop()
        if isinstance(part, Logic) and part.operator == "and":
            pending.extend(part.operands)
        elif isinstance(part, Operation) and (part.operator in COMPARISONS or part.operator == "known"):
            found.update(part.operands)
    return frozenset(found)


@dataclass(slots=True)
class Knowledge:
    """What is known where a rule fires.

    `condition` holds there; `lets` are the rule's by their number, None where one could not be resolved: of what rests
    on it nothing is said, so it counts as known.
    """

    condition: Expression | None
    scope: Scope
    lets: Mapping[int, Let | None]
    assumed: frozenset[Expression] = frozenset()
    known_lets: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.assumed = known_from(self.condition)

    def is_known(self, node: Expression) -> bool:
        """Whether an expression cannot be missing."""
        if node in self.assumed:
            return True
        match node:
            case Literal() | Now() | SubjectName() | Logic():
                return True
            case TriggerField() | JoinedField() | OwnField():
                return self.is_known_field(node)
            case ParameterValue():
                return not self.scope.declarations.parameter(node.parameter).dated
            case LetValue():
                return self.is_known_let(node.let)
            case Choice():
                complete = node.branches[-1][0] is None
                return complete and all(self.is_known(value) for _, value in node.branches)
            case Aggregate():
                return node.function in _KNOWN_AGGREGATES
            case Operation():
                return self.is_known_operation(node)

    def is_known_operation(self, node: Operation) -> bool:
        """Whether the result of an operator or function cannot be missing."""
        if node.operator in COMPARISONS or node.operator == "known":
            return True
        if node.operator == "coalesce":
            return any(self.is_known(operand) for operand in node.operands)
        if node.operator in ("//", "%"):
            divisor = node.operands[1]
            if not (isinstance(divisor, Literal) and divisor.value != 0):
                return False
        return all(self.is_known(operand) for operand in node.operands)

    def is_known_let(self, number: int) -> bool:
        """Whether the value of a `let` cannot be missing."""
        if number not in self.known_lets:
            let = self.lets.get(number)
            self.known_lets[number] = let is None or self.is_known(let.value)
        return self.known_lets[number]

    def is_known_field(self, node: TriggerField | JoinedField | OwnField) -> bool:
        """Whether a field is required or has a default in every kind that it may be of."""
        if isinstance(node, JoinedField):
            return node.slot < 0 or self.scope.joins[node.join].selection.kind.fields[node.slot].known
        if isinstance(node, TriggerField):
            slots = dict(node.slots)
            return all(kind.fields[slots[kind.index]].known for kind in self.scope.triggers)
        return False
