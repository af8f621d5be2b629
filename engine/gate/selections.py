"""Selections, windows and aggregates as written to those of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lark import Token, Tree

from ..facts import DATES, DURATION, INTEGER, MONTHS, TIME, WORKDAYS, Kind, Type
from ..functions import AggregateRow
from ..ground.problems import listing, nearest, shorten
from ..ground.values import Period
from ..model import Aggregate, Expression, Selection, Since, This, Window, Within
from .expressions import Part, Written, trees
from .scope import Declarations, Refused, Scope, in_words

UNITS = ("day", "month", "year")


@dataclass(frozen=True, slots=True)
class Selector:
    """Resolves selections at a place of a rule.

    `value` resolves an expression of that place, `condition` one inside the `where` of a kind.
    """

    written: Written
    scope: Scope
    value: Callable[[Tree[Token]], Expression]
    condition: Callable[[Tree[Token], Kind], Expression]

    @property
    def declarations(self) -> Declarations:
        """What the ruleset declares."""
        return self.scope.declarations

    def problem(self, code: str, message: str, part: Part, hint: str = "") -> Refused:
        """Record a problem."""
        return self.declarations.problem(code, message, self.written.span(part), hint)

    def aggregate(
        self, row: AggregateRow, arguments: list[Tree[Token]], suffix: Tree[Token] | None, tree: Tree[Token]
    ) -> Expression:
        """An aggregate, its arguments and what follows them (`where`, `by`, a window) in the brackets."""
        name = row.name
        if self.scope.own is not None:
            hint = "`where` looks at the fact itself"
            raise self.problem("where", f"`{name}` cannot stand inside `where`", tree, hint)
        wanted = "attribute" if row.takes else "name"
        if len(arguments) != 1 or arguments[0].data != wanted:
            form = f"{name}(KIND.field …)" if row.takes else f"{name}(KIND …)"
            raise self.problem("type", f"`{name}` is written `{form}`", tree)
        (argument,) = arguments
        kind = self.kind(argument.children[0])
        slot, result = self.field(row, kind, argument) if row.takes else (None, Type(row.result))
        clauses = {str(child.data): child for child in trees(suffix)} if suffix is not None else {}
        where, by = clauses.pop("where", None), clauses.pop("by", None)
        selection = self.make(kind, where, by, tree)
        window = self.window(next(iter(clauses.values()), None))
        return Aggregate(result, self.written.span(tree), name, selection, slot, window)

    def field(self, row: AggregateRow, kind: Kind, argument: Tree[Token]) -> tuple[int, Type]:
        """The slot and the type of the field that an aggregate takes."""
        part = argument.children[1]
        slot, type_ = -1, TIME
        if str(part) != "at":
            declared = kind.field(str(part))
            if declared is None:
                raise self.declarations.unknown_field(kind, str(part), self.written.span(part))
            slot, type_ = kind.slots[declared.name], declared.type
        if "any" not in row.takes and type_.name not in row.takes:
            takes = " or ".join(in_words(Type(name)) for name in row.takes)
            raise self.problem("type", f"`{row.name}` takes {takes}, got {in_words(type_)}", argument)
        return slot, type_

    def kind(self, token: Part) -> Kind:
        """The kind of a name."""
        name, span = str(token), self.written.span(token)
        kind = self.declarations.kinds.get(name)
        if kind is not None:
            return kind
        if self.scope.join(name) is not None:
            hint = f"an aggregate takes a kind; the joined fact's field is `{name}.FIELD`"
            raise self.declarations.problem("unknown-kind", f"`{name}` is one fact, not a kind", span, hint)
        if name in self.scope.broken:
            raise Refused
        raise self.declarations.unknown_kind(name, span)

    def selection(self, tree: Tree[Token], where_allowed: bool = True) -> Selection:
        """A selection: `KIND [where CONDITION] [by FIELD, …]`."""
        kind = self.kind(tree.children[0])
        clauses = {str(child.data): child for child in trees(tree)}
        where, by = clauses.get("where"), clauses.get("by")
        if where is not None and not where_allowed:
            hint = "write `KIND by FIELDS`, and the condition under `if`"
            raise self.problem("where", "`where` cannot stand here", where, hint)
        return self.make(kind, where, by, tree)

    def make(self, kind: Kind, where: Tree[Token] | None, by: Tree[Token] | None, tree: Tree[Token]) -> Selection:
        """A selection of a kind, from its clauses."""
        condition = self.condition(trees(where)[0], kind) if where is not None else None
        keys: dict[int, Expression] = {}
        for token in by.children if by is not None else ():
            if str(token) != self.declarations.subject:
                slot, key = self.key(kind, token)
                keys.setdefault(slot, key)
        return Selection(kind, condition, tuple(keys.items()), self.written.span(tree))

    def key(self, kind: Kind, token: Part) -> tuple[int, Expression]:
        """One name after `by`: the slot in the selected kind, and the field that it must equal."""
        name, span = str(token), self.written.span(token)
        declared = kind.field(name)
        if declared is None:
            raise self.declarations.unknown_field(kind, name, span)
        carried = self.scope.carried(name, span)
        if carried is None:
            if self.scope.may_be_broken(name):
                raise Refused
            whose = "the trigger" + (" or `with`" if self.scope.joins else "")
            names = sorted(self.scope.shared_fields())
            hint = nearest(name, names) or (f"its fields are {listing(names)}" if names else "it has no fields")
            raise self.problem("unknown-field", f"`by {name}`: {whose} has no field `{name}`", token, hint)
        if carried.type != declared.type:
            # One field name has one type in all kinds: the declaration has been refused.
            raise Refused
        return kind.slots[name], carried

    def window(self, tree: Tree[Token] | None) -> Window:
        """The window of an aggregate."""
        if tree is None:
            return None
        if tree.data == "this":
            unit = str(tree.children[0])
            if unit not in UNITS:
                hint = nearest(unit, UNITS) or f"known are {listing(UNITS)}"
                message = f"unknown window `this {shorten(unit, 40)}`"
                raise self.problem("unknown-name", message, tree.children[0], hint)
            return This(unit)
        if tree.data == "since":
            return Since(self.selection(trees(tree)[0]))
        return self.within(tree)

    def within(self, tree: Tree[Token]) -> Within:
        """The window `within LENGTH`."""
        (length_tree,) = trees(tree)
        length = self.value(length_tree)
        if length.type == WORKDAYS:
            hint = "use `dates`, or a duration"
            raise self.problem("window", "working days are no window", length_tree, hint)
        if length.type not in (DURATION, DATES, MONTHS):
            hint = "write `72h`, `5 dates`, `2 months`, or a parameter of such a value"
            if length.type == INTEGER:
                hint = "say the unit: `72h`, `3d`, `5 dates`, `2 months`"
            message = f"a window is a duration or a period, not {in_words(length.type)}"
            raise self.problem("type", message, length_tree, hint)
        for constant in self.declarations.constants(length):
            count = constant.count if isinstance(constant, Period) else constant
            if isinstance(count, int) and count < 0:
                raise self.problem("window", "a window cannot be negative", length_tree)
        inclusive = any(isinstance(child, Token) and child.type == "INCLUSIVE" for child in tree.children)
        return Within(length, inclusive)
