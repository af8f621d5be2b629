"""Which expressions are known, so never missing, where a rule's condition holds (the ruleset language, section 3)."""

from __future__ import annotations

from collections.abc import Callable

from .functions import AGGREGATES, COMPARISONS
from .model import (
    Aggregate,
    Choice,
    Expression,
    JoinedField,
    LetValue,
    Literal,
    Logic,
    Now,
    Operation,
    OwnField,
    Parameter,
    ParameterValue,
    SubjectName,
    TriggerField,
)

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


def known(
    expression: Expression,
    assumed: frozenset[Expression],
    field_known: Callable[[TriggerField | JoinedField | OwnField], bool],
    parameters: tuple[Parameter, ...],
    let: Callable[[int], bool],
) -> bool:
    """Whether an expression cannot be missing.

    Parameters
    ----------
    expression : Expression
        The expression.
    assumed : frozenset of Expression
        Expressions known because the condition holds; see `known_from`.
    field_known : callable
        Whether a field is required or has a default.
    parameters : tuple of Parameter
        The ruleset's parameters.
    let : callable
        Whether the `let` of a number is known.
    """

    def is_known(node: Expression) -> bool:
        if node in assumed:
            return True
        match node:
            case Literal() | Now() | SubjectName() | Logic():
                return True
            case TriggerField() | JoinedField() | OwnField():
                return field_known(node)
            case ParameterValue():
                return not parameters[node.parameter].dated
            case LetValue():
                return let(node.let)
            case Choice():
                complete = node.branches[-1][0] is None
                return complete and all(is_known(value) for _, value in node.branches)
            case Aggregate():
                return node.function in _KNOWN_AGGREGATES
            case Operation():
                return _operation(node)
        return False

    def _operation(node: Operation) -> bool:
        if node.operator in COMPARISONS or node.operator == "known":
            return True
        if node.operator == "coalesce":
            return any(is_known(operand) for operand in node.operands)
        if node.operator in ("//", "%"):
            divisor = node.operands[1]
            if not (isinstance(divisor, Literal) and divisor.value != 0):
                return False
        return all(is_known(operand) for operand in node.operands)

    return is_known(expression)
