"""Expressions as written to expressions of the model: names resolved, types checked, spans kept."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable

from lark import Token, Tree

from ..facts import BOOLEAN, DATES, DURATION, ID, INTEGER, MONTHS, TEXT, TIME, WORKDAYS, Kind, Type
from ..functions import COMPARISONS, candidates, choose
from ..ground.problems import listing, nearest, shorten
from ..ground.values import INTEGER_MAX, INTEGER_MIN, parse_duration, parse_period
from ..model import Choice, Constant, Expression, Literal, Logic, Operation, ParameterValue, Selection
from .expressions import Part, Written, trees
from .meanings import Namer
from .read import NO_TEXT
from .scope import AGGREGATE_ROWS, FUNCTION_NAMES, WORD, Declarations, Refused, Scope, in_words
from .selections import UNITS, Selector

__all__ = ["WORD", "Declarations", "Refused", "Scope", "resolve", "resolve_selection"]

PERIOD_TYPES = {"workdays": WORKDAYS, "dates": DATES, "months": MONTHS}
RESULTS = {type_.name: type_ for type_ in (INTEGER, BOOLEAN, TIME, DURATION)}


def resolve(written: Written, scope: Scope, expected: Type | None = None) -> Expression:
    """An expression of the model for one as written.

    Parameters
    ----------
    written : Written
        The expression.
    scope : Scope
        What names mean.
    expected : Type, optional
        The type that the place needs; none where any type will do.

    Raises
    ------
    Refused
        Where it is not valid; the problems are in the declarations.
    """
    (tree,) = written.tree.children
    if not isinstance(tree, Tree):
        raise Refused
    resolver = _Resolver(written, scope)
    expression = resolver.expression(tree, expected)
    return expression if expected is None else resolver.fit(expression, expected)


def resolve_selection(written: Written, scope: Scope, *, where_allowed: bool = True) -> Selection:
    """A selection (`KIND [where CONDITION] [by FIELD, …]`) of the model for one as written."""
    return _Resolver(written, scope).selector.selection(written.tree, where_allowed)


class _Resolver:
    def __init__(self, written: Written, scope: Scope) -> None:
        self.written = written
        self.scope = scope
        self.declarations = scope.declarations
        self.namer = Namer(written, scope)
        self.selector = Selector(written, scope, self.expression, self.inside)

    def problem(self, code: str, message: str, part: Part, hint: str = "") -> Refused:
        return self.declarations.problem(code, message, self.written.span(part), hint)

    def inside(self, tree: Tree[Token], kind: Kind) -> Expression:
        """A condition inside the `where` of a kind."""
        return _Resolver(self.written, Scope(self.declarations, own=kind)).condition(tree)

    def all(self, jobs: Iterable[Callable[[], Expression]]) -> list[Expression]:
        """Resolve several parts, so that the problems of all are found."""
        found, refused = [], False
        for job in jobs:
            try:
                found.append(job())
            except Refused:
                refused = True
        if refused:
            raise Refused
        return found

    # Types.

    def fit(self, expression: Expression, expected: Type) -> Expression:
        """The expression as one of the expected type."""
        if expression.type == expected:
            return expression
        if isinstance(expression, ParameterValue) and expression.type in (WORD, TEXT):
            return self.fit_word(expression, expected)
        if expression.type == TEXT and expected == ID:
            match expression:
                case Literal():
                    return Literal(ID, expression.span, expression.value)
                case Choice():
                    branches = tuple((condition, self.fit(value, ID)) for condition, value in expression.branches)
                    return Choice(ID, expression.span, branches)
                case Operation(operator="coalesce"):
                    operands = tuple(self.fit(operand, ID) for operand in expression.operands)
                    return Operation(ID, expression.span, expression.operator, operands)
        message = f"expected {in_words(expected)}, got {in_words(expression.type)}"
        raise self.declarations.problem("type", message, expression.span)

    def fit_word(self, expression: ParameterValue, expected: Type) -> Expression:
        """A parameter that is a bare word or a text: where an id is expected it is one, a bare word also a member."""
        parameter = self.declarations.parameter(expression.parameter)
        values = self.declarations.constants(expression)
        if expected == ID or (expected == TEXT and expression.type == WORD):
            return ParameterValue(expected, expression.span, expression.parameter)
        if expression.type == WORD and expected.is_enum:
            wrong = next((value for value in values if value not in expected.members), None)
            if wrong is None:
                return ParameterValue(expected, expression.span, expression.parameter)
            hint = nearest(str(wrong), expected.members) or f"its members are {listing(expected.members)}"
            message = f"the parameter `{parameter.name}` is `{wrong}`, which is no member of `{expected}`"
            raise self.declarations.problem("unknown-member", message, expression.span, hint)
        message = f"expected {in_words(expected)}, got {in_words(expression.type)}"
        quoted = f"the value of `{parameter.name}` is quoted, and so a text"
        hint = quoted if expression.type == TEXT else ""
        raise self.declarations.problem("type", message, expression.span, hint)

    def condition(self, tree: Tree[Token]) -> Expression:
        return self.fit(self.expression(tree, BOOLEAN), BOOLEAN)

    # Expressions.

    def expression(self, tree: Tree[Token], expected: Type | None = None) -> Expression:
        method = getattr(self, f"_{tree.data}")
        found: Expression = method(tree, expected)
        return found

    def _literal(self, tree: Tree[Token], expected: Type | None) -> Expression:
        token = tree.children[0]
        if not isinstance(token, Token):
            raise Refused
        type_, value = self.literal_value(token)
        if type_ == TEXT and expected is not None and expected.is_enum:
            hint = f"write `{shorten(str(value), 40)}` without quotes"
            raise self.problem("type", f"expected {in_words(expected)}, got a text", tree, hint)
        return Literal(ID if type_ == TEXT and expected == ID else type_, self.written.span(tree), value)

    def literal_value(self, token: Token, sign: str = "") -> tuple[Type, Constant]:
        """The type and value of a literal, negated by the sign `-`."""
        text = str(token)
        try:
            match token.type:
                case "TRUE" | "FALSE":
                    return BOOLEAN, text == "true"
                case "INTEGER":
                    digits = text.lstrip("0") or "0"
                    if len(digits) > 19 or not INTEGER_MIN <= int(sign + digits) <= INTEGER_MAX:
                        raise ValueError("an integer has 64 bits")
                    return INTEGER, int(sign + digits)
                case "DURATION":
                    return DURATION, parse_duration(sign + text)
                case "PERIOD":
                    period = parse_period(re.sub(r"(?<=\d)\s*(?=[a-z])", " ", text))
                    return PERIOD_TYPES[period.unit], period
                case "TIME":
                    return TIME, self.declarations.zone.parse(text)
                case _:
                    return TEXT, self.text(text)
        except ValueError as error:
            raise self.problem("literal", str(error), token) from None

    def text(self, written: str) -> str:
        """The text of a literal in double quotes, with the escapes of JSON."""
        try:
            text = str(json.loads(written, strict=False))
        except ValueError:
            raise ValueError("a text with an unknown escape") from None
        if NO_TEXT.search(text):
            raise ValueError("an escape that is no character of a text")
        return text

    def _minus(self, tree: Tree[Token], expected: Type | None) -> Expression:
        if str(tree.children[0]) == "+":
            raise self.problem("syntax", "unexpected `+`", tree.children[0], "a value needs no sign")
        (operand,) = trees(tree)
        token = operand.children[0] if operand.data == "literal" else None
        if isinstance(token, Token) and token.type in ("INTEGER", "DURATION"):
            type_, value = self.literal_value(token, "-")
            return Literal(type_, self.written.span(tree), value)
        return self.operation("neg", "-", [self.expression(operand)], tree)

    def _sum(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.binary(tree)

    def _product(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.binary(tree)

    def binary(self, tree: Tree[Token]) -> Expression:
        operator = str(tree.children[1])
        operands = self.all(functools.partial(self.expression, part) for part in trees(tree))
        return self.operation(operator, operator, operands, tree)

    def _comparison(self, tree: Tree[Token], expected: Type | None) -> Expression:
        operator = str(tree.children[1])
        return self.operation(operator, operator, self.alike(trees(tree)), tree)

    def _membership(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.contained(tree, "in")

    def _exclusion(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.contained(tree, "not in")

    def contained(self, tree: Tree[Token], operator: str) -> Expression:
        left, items = trees(tree)
        return self.operation(operator, operator, self.alike([left, *trees(items)]), tree)

    def alike(self, operands: list[Tree[Token]]) -> list[Expression]:
        """Operands of one type; a bare word among them is an enum's member where another one is of that enum.

        Each is resolved once: an expression of any depth takes time by its length.
        """
        leader = next((tree for tree in operands if not self.is_open(tree)), operands[0])
        try:
            first = self.expression(leader)
        except Refused:
            self.all(functools.partial(self.expression, t) for t in operands if t is not leader and not self.is_open(t))
            raise
        expected = TEXT if first.type == WORD else first.type

        def one(tree: Tree[Token]) -> Expression:
            found = first if tree is leader else self.expression(tree, expected)
            is_text = isinstance(found, Literal | ParameterValue) and found.type == TEXT
            adapts = found.type == WORD or (is_text and expected == ID)
            return self.fit(found, expected) if adapts else found

        return self.all(functools.partial(one, tree) for tree in operands)

    def is_open(self, tree: Tree[Token]) -> bool:
        """Whether the type of a part depends on what is expected: a word that names nothing else, a text."""
        if tree.data == "literal":
            token = tree.children[0]
            return isinstance(token, Token) and token.type == "STRING"
        if tree.data != "name":
            return False
        name = str(tree.children[0])
        if name in ("at", self.declarations.subject):
            return False
        if self.scope.own is not None:
            if self.scope.own.field(name) is not None:
                return False
        elif name in self.scope.lets or self.scope.trigger_field(name, self.written.span(tree)) is not None:
            return False
        parameter = self.declarations.parameters.get(name)
        return parameter is None or parameter[1].type in (WORD, TEXT)

    def _choice(self, tree: Tree[Token], expected: Type | None) -> Expression:
        yes, condition, no = trees(tree)
        first, test, second = self.all(
            (
                lambda: self.expression(yes, expected),
                lambda: self.condition(condition),
                lambda: self.expression(no, expected),
            )
        )
        if first.type == WORD or (first.type == TEXT and second.type == ID):
            first = self.fit(first, second.type)
        else:
            second = self.fit(second, first.type)
        return Choice(first.type, self.written.span(tree), ((test, first), (None, second)))

    def _conjunction(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.logic("and", tree)

    def _disjunction(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.logic("or", tree)

    def _negation(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.logic("not", tree)

    def logic(self, operator: str, tree: Tree[Token]) -> Expression:
        operands = self.all(functools.partial(self.condition, child) for child in trees(tree))
        return Logic(BOOLEAN, self.written.span(tree), operator, tuple(operands))

    def _list(self, tree: Tree[Token], expected: Type | None) -> Expression:
        raise self.problem("syntax", "a list stands only after `in`", tree)

    def operation(self, name: str, shown: str, operands: list[Expression], tree: Tree[Token]) -> Expression:
        types = tuple("enum" if o.type.is_enum else o.type.name for o in operands)
        row = choose(name, types)
        alike = all(operand.type == operands[0].type for operand in operands)
        if row is None or not (alike or not any(o.startswith("same") for o in row.operands)):
            message = f"`{shown}` needs values of one type"
            if len(operands) < 3:
                message = f"`{shown}` does not take {' and '.join(in_words(o.type) for o in operands)}"
            raise self.problem("type", message, tree, self.operation_hint(name, types, operands))
        result = operands[0].type if row.result == "same" else RESULTS[row.result]
        return Operation(result, self.written.span(tree), name, tuple(operands))

    def operation_hint(self, name: str, types: tuple[str, ...], operands: list[Expression]) -> str:
        quoted = [o for o in operands if isinstance(o, ParameterValue) and o.type == TEXT]
        if quoted:
            parameter = self.declarations.parameter(quoted[0].parameter)
            return f"the value of `{parameter.name}` is quoted, and so a text"
        texts = [o for o in operands if isinstance(o, Literal) and o.type == TEXT and o.value]
        if texts and any(type_ != "text" for type_ in types):
            return f"write `{shorten(str(texts[0].value), 40)}` without quotes"
        if name == "-" and "workdays" in types:
            return "working days can only be added"
        if name in COMPARISONS and name not in ("==", "!=", "in", "not in") and types[0] == types[-1]:
            return "only integers, times and durations are ordered"
        if name in ("+", "-", "*", "//", "%"):
            takes = sorted({f"{r.operands[0]} {name} {r.operands[1]}" for r in candidates(name)})
            return f"known are {listing(takes)}"
        return ""

    def _name(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.namer.name(tree, expected)

    def _attribute(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.namer.attribute(tree)

    # Functions and aggregates.

    def _call(self, tree: Tree[Token], expected: Type | None) -> Expression:
        token = tree.children[0]
        name = str(token)
        arguments = trees(tree)
        suffix = next((child for child in arguments if child.data == "suffix"), None)
        arguments = [child for child in arguments if child.data != "suffix"]
        if self.is_aggregate(name, arguments, suffix):
            return self.selector.aggregate(AGGREGATE_ROWS[name], arguments, suffix, tree)
        if name not in FUNCTION_NAMES:
            every = sorted({*FUNCTION_NAMES, *AGGREGATE_ROWS})
            hint = nearest(name, every) or f"known are {listing(every, 20)}"
            raise self.problem("unknown-name", f"unknown function `{shorten(name, 40)}`", token, hint)
        if suffix is not None:
            raise self.problem("type", f"`{name}` takes values, no facts of a kind", suffix)
        if name in ("min", "max") and len(arguments) < 2:
            hint = f"write `{name}(KIND.field)` for the facts of a kind, or two values or more"
            raise self.problem("type", f"`{name}` needs two values or more", tree, hint)
        if name in ("known", "abs", *UNITS) and len(arguments) != 1:
            raise self.problem("type", f"`{name}` takes one value, got {len(arguments)}", tree)
        if name == "coalesce":
            operands = self.alike(arguments)
        else:
            operands = self.all(functools.partial(self.expression, child) for child in arguments)
        return self.operation(name, name, operands, tree)

    def is_aggregate(self, name: str, arguments: list[Tree[Token]], suffix: Tree[Token] | None) -> bool:
        """Whether a call is one of facts; `min` and `max` are functions of values too."""
        if name not in AGGREGATE_ROWS:
            return False
        if name not in FUNCTION_NAMES or suffix is not None:
            return True
        only = arguments[0] if len(arguments) == 1 else None
        return only is not None and only.data == "attribute" and self.scope.join(str(only.children[0])) is None
