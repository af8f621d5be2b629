"""Expressions as written to expressions of the model: names resolved, types checked, spans kept."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from lark import Token, Tree

from .expressions import Written
from .facts import BOOLEAN, DATES, DURATION, ID, INTEGER, MONTHS, TEXT, TIME, WORKDAYS, Kind, Type
from .functions import AGGREGATES, COMPARISONS, FUNCTIONS, candidates, choose
from .model import (
    Aggregate,
    Choice,
    Constant,
    Expression,
    Join,
    JoinedField,
    LetValue,
    Literal,
    Logic,
    Now,
    Operation,
    OwnField,
    Parameter,
    ParameterValue,
    Selection,
    Since,
    SubjectName,
    This,
    TriggerField,
    Window,
    Within,
)
from .problems import Problem, Span, listing, nearest, shorten
from .values import INTEGER_MAX, INTEGER_MIN, Period, Zone, parse_duration, parse_period

WORD = Type("word")
"""The type of a parameter that is a bare word: an enum's member or a text, whichever is expected."""

AGGREGATE_ROWS = {row.name: row for row in AGGREGATES}
FUNCTION_NAMES = frozenset(row.name for row in FUNCTIONS)
UNITS = ("day", "month", "year")
PERIOD_TYPES = {"workdays": WORKDAYS, "dates": DATES, "months": MONTHS}


class Refused(Exception):
    """An expression that is not valid; its problem has been recorded."""


@dataclass(slots=True)
class Declarations:
    """What a ruleset declares, as far as it has been checked."""

    subject: str
    zone: Zone
    enums: dict[str, Type] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    parameters: dict[str, tuple[int, Parameter]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> Refused:
        """Record a problem; the result can be raised."""
        self.problems.append(Problem(code, message, span, hint))
        return Refused()


@dataclass(slots=True)
class Scope:
    """What a name can mean at a place in a rule.

    With `own` the place is inside `where`, where only that kind's fields, `at`, literals and undated parameters mean
    anything. `constant` allows literals and parameters only.
    """

    declarations: Declarations
    triggers: tuple[Kind, ...] = ()
    joins: list[Join] = field(default_factory=list)
    lets: dict[str, int] = field(default_factory=dict)
    let_type: Callable[[str], Type] | None = None
    own: Kind | None = None
    used_parameters: set[str] = field(default_factory=set)
    used_lets: set[str] = field(default_factory=set)

    def join(self, alias: str) -> tuple[int, Join] | None:
        """The join under an alias, with its number."""
        return next(((n, j) for n, j in enumerate(self.joins) if j.alias == alias), None)

    def shared_fields(self) -> dict[str, Type]:
        """The fields that all trigger kinds share, with one type."""
        if not self.triggers:
            return {}
        first, *others = self.triggers
        shared = {f.name: f.type for f in first.fields}
        for kind in others:
            shared = {n: t for n, t in shared.items() if (f := kind.field(n)) is not None and f.type == t}
        return shared

    def trigger_field(self, name: str, span: Span) -> TriggerField | None:
        """A field of the trigger, if all its kinds declare it."""
        type_ = self.shared_fields().get(name)
        if type_ is None:
            return None
        slots = tuple((kind.index, kind.slots[name]) for kind in self.triggers)
        return TriggerField(type_, span, name, slots)

    def carried(self, name: str, span: Span) -> Expression | None:
        """The field of that name that carries over: the trigger's, else the first of `with` that declares it."""
        found = self.trigger_field(name, span)
        if found is not None:
            return found
        for number, join in enumerate(self.joins):
            declared = join.selection.kind.field(name)
            if declared is not None:
                slot = join.selection.kind.slots[name]
                return JoinedField(declared.type, span, name, number, slot)
        return None


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
    if expected is not None:
        expression = resolver.fit(expression, expected)
    return expression


def resolve_selection(written: Written, scope: Scope, *, where_allowed: bool = True) -> Selection:
    """A selection (`KIND [where CONDITION] [by FIELD, …]`) of the model for one as written."""
    return _Resolver(written, scope).selection(written.tree, where_allowed)


class _Resolver:
    def __init__(self, written: Written, scope: Scope) -> None:
        self.written = written
        self.scope = scope
        self.declarations = scope.declarations

    def problem(self, code: str, message: str, part: Tree[Token] | Token, hint: str = "") -> Refused:
        return self.declarations.problem(code, message, self.written.span(part), hint)

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
        if expression.type == WORD and isinstance(expression, ParameterValue):
            parameter = self.declarations.parameters
            name, (_, found) = next((n, p) for n, p in parameter.items() if p[0] == expression.parameter)
            values = [v for v in (found.value, *(v for _, v in found.dated)) if v is not None]
            wrong = [v for v in values if expected.members and v not in expected.members]
            if expected in (TEXT, ID) or (expected.members and not wrong):
                return ParameterValue(expected, expression.span, expression.parameter)
            if wrong:
                hint = nearest(str(wrong[0]), expected.members) or f"its members are {listing(expected.members)}"
                message = f"the parameter `{name}` is `{wrong[0]}`, which is no member of `{expected}`"
                raise self.declarations.problem("unknown-member", message, expression.span, hint)
        if isinstance(expression, Literal | ParameterValue) and expression.type == TEXT and expected == ID:
            return replace(expression, type=ID)
        message = f"expected {_article(expected)}, got {_article(expression.type)}"
        raise self.declarations.problem("type", message, expression.span)

    def condition(self, tree: Tree[Token]) -> Expression:
        return self.fit(self.expression(tree, BOOLEAN), BOOLEAN)

    # Expressions.

    def expression(self, tree: Tree[Token], expected: Type | None = None) -> Expression:
        method = getattr(self, f"_{tree.data}")
        found: Expression = method(tree, expected)
        return found

    def children(self, tree: Tree[Token]) -> list[Tree[Token]]:
        return [child for child in tree.children if isinstance(child, Tree)]

    def _literal(self, tree: Tree[Token], expected: Type | None) -> Expression:
        token = tree.children[0]
        if not isinstance(token, Token):
            raise Refused
        type_, value = self.literal_value(token)
        if type_ == TEXT and expected is not None and expected.members:
            hint = f"write `{value}` without quotes"
            raise self.problem("type", f"expected {_article(expected)}, got a text", tree, hint)
        return Literal(ID if type_ == TEXT and expected == ID else type_, self.written.span(tree), value)

    def literal_value(self, token: Token) -> tuple[Type, Constant]:
        text = str(token)
        try:
            match token.type:
                case "TRUE" | "FALSE":
                    return BOOLEAN, text == "true"
                case "INTEGER":
                    if len(text) > 20 or not int(text) <= INTEGER_MAX + 1:
                        raise ValueError("an integer has 64 bits")
                    return INTEGER, int(text)
                case "DURATION":
                    return DURATION, parse_duration(text)
                case "PERIOD":
                    count = text.rstrip("adehkmnorstwy \t")
                    period = parse_period(f"{count} {text[len(count) :].strip()}")
                    return PERIOD_TYPES[period.unit], period
                case "TIME":
                    return TIME, self.declarations.zone.parse(text)
                case _:
                    return TEXT, str(json.loads(text, strict=False))
        except ValueError as error:
            raise self.problem("literal", f"{error}" if token.type != "STRING" else "a text with an unknown escape", token) from None

    def _minus(self, tree: Tree[Token], expected: Type | None) -> Expression:
        if str(tree.children[0]) == "+":
            raise self.problem("syntax", "unexpected `+`", tree, "a value needs no sign")
        (operand,) = self.children(tree)
        value = self.expression(operand, expected)
        if isinstance(value, Literal) and value.type in (INTEGER, DURATION) and isinstance(value.value, int):
            return Literal(value.type, self.written.span(tree), -value.value)
        return self.operation("neg", "-", [value], tree)

    def _sum(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self._binary(tree)

    def _product(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self._binary(tree)

    def _binary(self, tree: Tree[Token]) -> Expression:
        left, operator, right = tree.children
        parts = [left, right]
        operands = self.all(functools.partial(self.value, part) for part in parts if isinstance(part, Tree))
        return self.operation(str(operator), str(operator), operands, tree)

    def value(self, tree: Tree[Token]) -> Expression:
        """An operand of arithmetic: a literal beyond 64 bits is refused here, where it is not negated."""
        found = self.expression(tree)
        return self.bounded(found)

    def bounded(self, found: Expression) -> Expression:
        if isinstance(found, Literal) and found.type == INTEGER and not INTEGER_MIN <= int(str(found.value)) <= INTEGER_MAX:
            raise self.declarations.problem("literal", "an integer has 64 bits", found.span)
        return found

    def _comparison(self, tree: Tree[Token], expected: Type | None) -> Expression:
        left, operator, right = tree.children
        if not isinstance(left, Tree) or not isinstance(right, Tree):
            raise Refused
        operands = self.alike([left, right])
        return self.operation(str(operator), str(operator), operands, tree)

    def _membership(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self._in(tree, "in")

    def _exclusion(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self._in(tree, "not in")

    def _in(self, tree: Tree[Token], operator: str) -> Expression:
        left, items = self.children(tree)
        return self.operation(operator, operator, self.alike([left, *self.children(items)]), tree)

    def alike(self, trees: list[Tree[Token]]) -> list[Expression]:
        """Operands of one type; a bare word among them is an enum's member where another one is of that enum."""
        leader = next((tree for tree in trees if not self.is_open(tree)), trees[0])
        expected = self.bounded(self.expression(leader)).type
        if expected == WORD:
            expected = next((self.expression(t).type for t in trees if t is not leader and not self.is_open(t)), TEXT)

        def one(tree: Tree[Token]) -> Expression:
            found = self.bounded(self.expression(tree, expected))
            text = isinstance(found, Literal | ParameterValue) and found.type == TEXT and expected == ID
            adapts = found.type == WORD or text
            return self.fit(found, expected) if adapts else found

        return self.all(functools.partial(one, tree) for tree in trees)

    def is_open(self, tree: Tree[Token]) -> bool:
        """Whether the type of a part depends on what is expected: a word that names nothing else, a text, a bare-word parameter."""
        if tree.data == "literal":
            token = tree.children[0]
            return isinstance(token, Token) and token.type == "STRING"
        if tree.data == "name":
            name = str(tree.children[0])
            if self.scope.own is None and (self.scope.trigger_field(name, self.written.span(tree)) or name in self.scope.lets):
                return False
            if self.scope.own is not None and self.scope.own.field(name) is not None:
                return False
            if name in ("at", self.declarations.subject):
                return False
            parameter = self.declarations.parameters.get(name)
            return parameter is None or parameter[1].type in (WORD, TEXT)
        return False

    def _choice(self, tree: Tree[Token], expected: Type | None) -> Expression:
        yes, condition, no = self.children(tree)
        found = self.all(
            (
                lambda: self.bounded(self.expression(yes, expected)),
                lambda: self.condition(condition),
                lambda: self.bounded(self.expression(no, expected)),
            )
        )
        first, test, second = found
        if first.type != second.type:
            first, second = self.unify(first, second)
        return Choice(first.type, self.written.span(tree), ((test, first), (None, second)))

    def unify(self, first: Expression, second: Expression) -> tuple[Expression, Expression]:
        if first.type == WORD or (first.type == TEXT and second.type == ID):
            return self.fit(first, second.type), second
        return first, self.fit(second, first.type)

    def _conjunction(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.logic("and", tree)

    def _disjunction(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.logic("or", tree)

    def _negation(self, tree: Tree[Token], expected: Type | None) -> Expression:
        return self.logic("not", tree)

    def logic(self, operator: str, tree: Tree[Token]) -> Expression:
        operands = self.all(functools.partial(self.condition, child) for child in self.children(tree))
        return Logic(BOOLEAN, self.written.span(tree), operator, tuple(operands))

    def _list(self, tree: Tree[Token], expected: Type | None) -> Expression:
        raise self.problem("syntax", "a list stands only after `in`", tree)

    def operation(self, name: str, shown: str, operands: list[Expression], tree: Tree[Token]) -> Expression:
        types = tuple("enum" if o.type.is_enum else o.type.name for o in operands)
        row = choose(name, types)
        same = row is None or not any(o.startswith("same") for o in row.operands) or len({o.type for o in operands}) == 1
        if row is None or not same:
            got = " and ".join(_article(o.type) for o in operands[:2])
            hint = self.operation_hint(name, types)
            message = f"`{shown}` does not take {got}" if len(operands) < 3 else f"`{shown}` needs values of one type"
            raise self.problem("type", message, tree, hint)
        if row.result == "same":
            result = operands[0].type
        else:
            result = {"integer": INTEGER, "boolean": BOOLEAN, "time": TIME, "duration": DURATION}[row.result]
        for operand in operands:
            if operand.type == WORKDAYS:
                self.positive(operand)
        return Operation(result, self.written.span(tree), name, tuple(operands))

    def positive(self, operand: Expression) -> None:
        for period in self.constants(operand):
            if isinstance(period, Period) and period.count < 1:
                raise self.declarations.problem("period", "working days are counted from one on", operand.span)

    def constants(self, operand: Expression) -> tuple[Constant, ...]:
        """The values that a literal or parameter can have; none of anything else."""
        if isinstance(operand, Literal):
            return (operand.value,)
        if isinstance(operand, ParameterValue):
            found = next(p for n, p in self.declarations.parameters.values() if n == operand.parameter)
            return tuple(v for v in (found.value, *(v for _, v in found.dated)) if v is not None)
        return ()

    def operation_hint(self, name: str, types: tuple[str, ...]) -> str:
        if name == "-" and "workdays" in types:
            return "working days can only be added"
        if name in COMPARISONS and name not in ("==", "!=", "in", "not in") and types[0] == types[-1]:
            return "only integers, times and durations are ordered"
        if name in ("+", "-", "*", "//", "%"):
            takes = sorted({f"{r.operands[0]} {name} {r.operands[1]}" for r in candidates(name)})
            return f"known are {listing(takes)}"
        return ""

    # Names.

    def _name(self, tree: Tree[Token], expected: Type | None) -> Expression:
        token = tree.children[0]
        name, span = str(token), self.written.span(tree)
        scope, declarations = self.scope, self.declarations
        member = expected is not None and name in expected.members
        meanings: list[tuple[str, Expression]] = []
        if name == "at":
            return OwnField(TIME, span, name, -1) if scope.own is not None else Now(TIME, span)
        if scope.own is not None:
            own = scope.own.field(name)
            if own is not None:
                meanings.append((f"a field of `{scope.own.name}`", OwnField(own.type, span, name, scope.own.slots[name])))
        else:
            if name == declarations.subject and scope.triggers:
                meanings.append(("the subject", SubjectName(ID, span)))
            found = scope.trigger_field(name, span)
            if found is not None:
                meanings.append(("a field of the trigger", found))
            if name in scope.lets and scope.let_type is not None:
                scope.used_lets.add(name)
                meanings.append(("a `let`", LetValue(scope.let_type(name), span, scope.lets[name])))
        parameter = declarations.parameters.get(name)
        if parameter is not None:
            number, what = parameter
            scope.used_parameters.add(name)
            if scope.own is not None and what.dated:
                message = f"`where` takes no parameter with dated values: `{name}`"
                raise self.problem("where", message, tree, "compare it outside of `where`")
            meanings.append(("a parameter", ParameterValue(what.type, span, number)))
        if member and expected is not None:
            meanings.append((f"a member of `{expected}`", Literal(expected, span, name)))
        if len(meanings) > 1:
            what_all = " and ".join(what for what, _ in meanings)
            raise self.problem("ambiguous", f"`{name}` has more than one meaning here: {what_all}", tree, "rename one of them")
        if meanings:
            return meanings[0][1]
        if expected is None or not expected.is_enum:
            enums = [enum for enum in declarations.enums.values() if name in enum.members]
            if len(enums) == 1 and expected in (None, enums[0]):
                return Literal(enums[0], span, name)
        raise self.unknown(name, tree, expected)

    def unknown(self, name: str, tree: Tree[Token], expected: Type | None) -> Refused:
        scope, declarations = self.scope, self.declarations
        if expected is not None and expected.is_enum:
            hint = nearest(name, expected.members) or f"its members are {listing(expected.members)}"
            return self.problem("unknown-member", f"`{name}` is no member of `{expected}`", tree, hint)
        if name in declarations.kinds:
            return self.problem("unknown-name", f"`{name}` is a kind, not a value", tree, f"count its facts: `count({name})`")
        if scope.own is not None:
            names = [*(f.name for f in scope.own.fields), *declarations.parameters]
            message = f"unknown name `{name}`: `where` knows the fields of `{scope.own.name}`, `at`, literals and parameters"
            return self.problem("unknown-name", message, tree, nearest(name, names))
        partly = [kind.name for kind in scope.triggers if kind.field(name) is not None]
        if partly:
            hint = "only fields that all kinds of `when` share, with one type, can be used"
            return self.problem("unknown-name", f"`{name}` is not a field of every trigger", tree, hint)
        names = [*scope.shared_fields(), *scope.lets, *declarations.parameters, *(j.alias for j in scope.joins)]
        members = [m for enum in declarations.enums.values() for m in enum.members]
        return self.problem("unknown-name", f"unknown name `{name}`", tree, nearest(name, [*names, *members]))

    def _attribute(self, tree: Tree[Token], expected: Type | None) -> Expression:
        owner, name = (str(token) for token in tree.children)
        span = self.written.span(tree)
        joined = self.scope.join(owner) if self.scope.own is None else None
        if joined is None:
            if self.scope.own is None and owner in self.declarations.kinds:
                hint = f"take one of its facts: `last({owner}.{name})`, or join it under `with:`"
                raise self.problem("unknown-name", f"`{owner}` is a kind, not one fact", tree, hint)
            message = f"unknown name `{owner}`"
            hint = nearest(owner, [j.alias for j in self.scope.joins]) or "facts joined under `with:` have fields"
            raise self.problem("unknown-name", message, tree, hint)
        number, join = joined
        kind = join.selection.kind
        if name == "at":
            return JoinedField(TIME, span, name, number, -1)
        if name == self.declarations.subject:
            return SubjectName(ID, span)
        found = kind.field(name)
        if found is None:
            raise self.unknown_field(kind, name, tree.children[1])
        return JoinedField(found.type, span, name, number, kind.slots[name])

    def unknown_field(self, kind: Kind, name: str, part: Tree[Token] | Token) -> Refused:
        names = [f.name for f in kind.fields]
        hint = nearest(name, names) or (f"its fields are {listing(names)}" if names else "it has no fields")
        return self.problem("unknown-field", f"`{kind.name}` has no field `{name}`", part, hint)

    # Functions and aggregates.

    def _call(self, tree: Tree[Token], expected: Type | None) -> Expression:
        token = tree.children[0]
        name = str(token)
        arguments = self.children(tree)
        suffix = next((child for child in arguments if child.data == "suffix"), None)
        arguments = [child for child in arguments if child.data != "suffix"]
        if self.is_aggregate(name, arguments, suffix):
            return self.aggregate(name, arguments, suffix, tree)
        if name not in FUNCTION_NAMES:
            if not isinstance(token, Token):
                raise Refused
            hint = nearest(name, [*FUNCTION_NAMES, *AGGREGATE_ROWS])
            hint = hint or f"known are {listing(sorted({*FUNCTION_NAMES, *AGGREGATE_ROWS}), 20)}"
            raise self.problem("unknown-name", f"unknown function `{shorten(name, 40)}`", token, hint)
        if name in ("min", "max") and len(arguments) < 2:
            hint = f"write `{name}(KIND.field)` for the facts of a kind, or two values or more"
            raise self.problem("type", f"`{name}` needs two values or more", tree, hint)
        if name in ("known", "abs", *UNITS) and len(arguments) != 1:
            raise self.problem("type", f"`{name}` takes one value, got {len(arguments)}", tree)
        if name == "coalesce":
            operands = self.alike(arguments)
        else:
            operands = self.all(functools.partial(self.value, child) for child in arguments)
        return self.operation(name, name, operands, tree)

    def is_aggregate(self, name: str, arguments: list[Tree[Token]], suffix: Tree[Token] | None) -> bool:
        if name not in AGGREGATE_ROWS:
            return False
        if name not in FUNCTION_NAMES or suffix is not None:
            return True
        only = arguments[0] if len(arguments) == 1 else None
        return only is not None and only.data == "attribute" and self.scope.join(str(only.children[0])) is None

    def aggregate(
        self, name: str, arguments: list[Tree[Token]], suffix: Tree[Token] | None, tree: Tree[Token]
    ) -> Expression:
        row = AGGREGATE_ROWS[name]
        if self.scope.own is not None:
            raise self.problem("where", f"`{name}` cannot stand inside `where`", tree, "`where` looks at the fact itself")
        wanted = "attribute" if row.takes else "name"
        if len(arguments) != 1 or arguments[0].data != wanted:
            form = f"{name}(KIND.field …)" if row.takes else f"{name}(KIND …)"
            raise self.problem("type", f"`{name}` is written `{form}`", tree)
        (argument,) = arguments
        kind = self.kind(argument.children[0])
        slot: int | None = None
        result = {"integer": INTEGER, "boolean": BOOLEAN}.get(row.result, INTEGER)
        if row.takes:
            field_token = argument.children[1]
            field_name = str(field_token)
            if field_name == "at":
                slot, result = -1, TIME
            else:
                declared = kind.field(field_name)
                if declared is None:
                    raise self.unknown_field(kind, field_name, field_token)
                slot, result = kind.slots[field_name], declared.type
            if "any" not in row.takes and result.name not in row.takes:
                takes = " or ".join(_article(Type(t)) for t in row.takes)
                raise self.problem("type", f"`{name}` takes {takes}, got {_article(result)}", argument)
        where = by = window = None
        for child in self.children(suffix) if suffix is not None else []:
            if child.data == "where":
                where = child
            elif child.data == "by":
                by = child
            else:
                window = child
        selection = self.make_selection(kind, where, by, tree)
        return Aggregate(result, self.written.span(tree), name, selection, slot, self.window(window))

    def kind(self, token: Tree[Token] | Token) -> Kind:
        name = str(token)
        kind = self.declarations.kinds.get(name)
        if kind is None:
            if self.scope.join(name) is not None:
                hint = f"an aggregate takes a kind; the joined fact's field is `{name}.FIELD`"
                raise self.problem("unknown-kind", f"`{name}` is one fact, not a kind", token, hint)
            raise self.problem("unknown-kind", f"unknown kind `{name}`", token, nearest(name, self.declarations.kinds))
        return kind

    def selection(self, tree: Tree[Token], where_allowed: bool = True) -> Selection:
        kind = self.kind(tree.children[0])
        children = self.children(tree)
        where = next((child for child in children if child.data == "where"), None)
        by = next((child for child in children if child.data == "by"), None)
        if where is not None and not where_allowed:
            raise self.problem("where", "`where` cannot stand here", where, "write `KIND by FIELDS`, and the condition under `if`")
        return self.make_selection(kind, where, by, tree)

    def make_selection(
        self, kind: Kind, where: Tree[Token] | None, by: Tree[Token] | None, tree: Tree[Token]
    ) -> Selection:
        condition = None
        if where is not None:
            (inner,) = self.children(where)
            outer, self.scope = self.scope, Scope(self.declarations, own=kind, used_parameters=self.scope.used_parameters)
            try:
                condition = self.condition(inner)
            finally:
                self.scope = outer
        keys: list[tuple[int, Expression]] = []
        for token in by.children if by is not None else ():
            name, span = str(token), self.written.span(token)
            if name == self.declarations.subject:
                continue
            declared = kind.field(name)
            if declared is None:
                raise self.unknown_field(kind, name, token)
            carried = self.scope.carried(name, span)
            if carried is None:
                whose = "the trigger" + (" or `with`" if self.scope.joins else "")
                names = set(self.scope.shared_fields())
                hint = nearest(name, names) or f"its fields are {listing(sorted(names))}"
                raise self.problem("unknown-field", f"`by {name}`: {whose} has no field `{name}`", token, hint)
            if carried.type != declared.type:
                message = f"`by {name}`: the trigger's is {_article(carried.type)}, that of `{kind.name}` {_article(declared.type)}"
                raise self.problem("type", message, token)
            slot = kind.slots[name]
            if all(slot != other for other, _ in keys):
                keys.append((slot, carried))
        return Selection(kind, condition, tuple(keys), self.written.span(tree))

    def window(self, tree: Tree[Token] | None) -> Window:
        if tree is None:
            return None
        if tree.data == "this":
            unit = str(tree.children[0])
            if unit not in UNITS:
                hint = nearest(unit, UNITS) or f"known are {listing(UNITS)}"
                raise self.problem("unknown-name", f"unknown window `this {unit}`", tree, hint)
            return This(unit)
        if tree.data == "since":
            (inner,) = self.children(tree)
            return Since(self.selection(inner))
        (length_tree,) = self.children(tree)
        length = self.value(length_tree)
        if length.type == WORKDAYS:
            raise self.problem("window", "working days are no window", length_tree, "use `dates`, or a duration")
        if length.type not in (DURATION, DATES, MONTHS):
            hint = "write `72h`, `5 dates`, `2 months`, or a parameter of such a value"
            raise self.problem("type", f"a window is a duration or a period, not {_article(length.type)}", length_tree, hint)
        for constant in self.constants(length):
            count = constant.count if isinstance(constant, Period) else constant
            if isinstance(count, int) and count < 0:
                raise self.problem("window", "a window cannot be negative", length_tree)
        inclusive = any(isinstance(child, Token) and child.type == "INCLUSIVE" for child in tree.children)
        return Within(length, inclusive)


def _article(type_: Type) -> str:
    if type_.is_enum:
        return f"a member of `{type_.name}`"
    shown = {
        "workdays": "working days",
        "dates": "a period of dates",
        "months": "a period of months or years",
        "word": "a bare word",
    }
    article = "an" if type_.name[0] in "aeiou" else "a"
    return shown.get(type_.name, f"{article} {type_.name}")
