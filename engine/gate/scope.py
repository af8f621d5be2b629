"""What a name can mean at a place of a ruleset: the declarations of the whole, and the scope of a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..facts import Kind, Type
from ..functions import AGGREGATES, FUNCTIONS
from ..ground.problems import Problem, Span, listing, nearest, shorten
from ..ground.values import Zone
from ..model import Constant, Expression, Join, JoinedField, Literal, Parameter, ParameterValue, TriggerField
from .draft import EVERY

WORD = Type("word")
"""The type of a parameter that is a bare word: an enum's member or a text, whichever is expected."""

AGGREGATE_ROWS = {row.name: row for row in AGGREGATES}
FUNCTION_NAMES = frozenset(row.name for row in FUNCTIONS)


class Refused(Exception):
    """An expression that is not valid; its problem has been recorded."""


@dataclass(slots=True)
class Declarations:
    """What a ruleset declares, as far as it has been checked.

    `broken` names what has a problem of its own (`Draft.broken`): who uses it is refused without another one.
    """

    subject: str
    zone: Zone
    enums: dict[str, Type] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    parameters: dict[str, tuple[int, Parameter]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[tuple[str, str]] = field(default_factory=set)

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> Refused:
        """Record a problem; the result can be raised."""
        self.problems.append(Problem(code, message, span, hint))
        return Refused()

    def is_broken(self, what: str, name: str) -> bool:
        """Whether a kind, field, enum, parameter or rule has a problem of its own, or may be among those that have."""
        return (what, name) in self.broken or (what, EVERY) in self.broken

    def parameter(self, number: int) -> Parameter:
        """The parameter of a number."""
        return next(parameter for n, parameter in self.parameters.values() if n == number)

    def constants(self, expression: Expression) -> tuple[Constant, ...]:
        """The values that a literal or a parameter can have; none of anything else."""
        if isinstance(expression, Literal):
            return (expression.value,)
        if isinstance(expression, ParameterValue):
            found = self.parameter(expression.parameter)
            return tuple(v for v in (found.value, *(v for _, v in found.dated)) if v is not None)
        return ()

    def unknown_kind(self, name: str, span: Span, hint: str = "") -> Refused:
        """There is no kind of that name."""
        if self.is_broken("kind", name):
            return Refused()
        hint = hint or nearest(name, self.kinds) or (f"known are {listing(self.kinds)}" if self.kinds else "")
        return self.problem("unknown-kind", f"unknown kind `{shorten(name, 40)}`", span, hint)

    def unknown_field(self, kind: Kind, name: str, span: Span) -> Refused:
        """A kind has no field of that name."""
        if self.is_broken("kind", kind.name) or self.is_broken("field", name):
            return Refused()
        names = [f.name for f in kind.fields]
        hint = nearest(name, names) or (f"its fields are {listing(names)}" if names else "it has no fields")
        return self.problem("unknown-field", f"`{kind.name}` has no field `{shorten(name, 40)}`", span, hint)


@dataclass(slots=True)
class Scope:
    """What a name can mean at a place in a rule.

    With `own` the place is inside `where`, where only that kind's fields, `at`, literals and undated parameters mean
    anything. `broken` are aliases of `with` whose selection has a problem; with `partial` not all names of the rule are
    known, because where they are declared there is a problem.
    """

    declarations: Declarations
    triggers: tuple[Kind, ...] = ()
    joins: list[Join] = field(default_factory=list)
    lets: dict[str, int] = field(default_factory=dict)
    let_type: Callable[[str], Type] | None = None
    own: Kind | None = None
    used_lets: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    partial: bool = False

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
        types = [declared.type for kind in self.triggers if (declared := kind.field(name)) is not None]
        if not types or len(types) != len(self.triggers) or any(type_ != types[0] for type_ in types):
            return None
        slots = tuple((kind.index, kind.slots[name]) for kind in self.triggers)
        return TriggerField(types[0], span, name, slots)

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

    def may_be_broken(self, name: str) -> bool:
        """Whether a name that is not found may be one whose declaration has a problem."""
        declarations = self.declarations
        kinds = self.triggers if self.own is None else (self.own,)
        return (
            name in self.broken
            or (self.own is None and self.partial)
            or declarations.is_broken("parameter", name)
            or declarations.is_broken("field", name)
            or any(what == "enum" for what, _ in declarations.broken)
            or any(declarations.is_broken("kind", kind.name) for kind in kinds)
        )


def in_words(type_: Type) -> str:
    """A type with its article, as a message says it."""
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
