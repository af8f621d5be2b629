"""What a ruleset declares: enums, kinds with their fields, and parameters, checked one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..facts import FIELD_TYPES, TEXT, TIME, Ends, Field, Kind, Type, Value
from ..ground.problems import Span, listing, nearest, shorten
from ..ground.values import INTEGER_MAX, INTEGER_MIN, Period
from ..model import Constant, Literal, Parameter
from .draft import Draft, DraftField, DraftKind, DraftParameter
from .expressions import Written, parse
from .nodes import Scalar
from .resolve import resolve, resolve_selection
from .scope import WORD, Declarations, Refused, Scope

_QUOTED_LITERAL = re.compile(
    r"[0-9]+[smhdw]|[0-9]+ +(workday|date|month|year)s?|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.+Z-]+)?"
)
"""Durations, periods and times, which are so often quoted that they are taken as such; all else quoted is text."""

RESERVED_FIELDS = frozenset({"kind", "at", "known_at", "seq", "rule"})
EFFECTS = ("lasting", "interval")


@dataclass(slots=True)
class Declarer:
    """Adds to the declarations what the draft declares, and the problems of it."""

    draft: Draft
    declarations: Declarations

    def declare(self) -> None:
        """Enums, then kinds, then parameters."""
        self.declarations.broken |= self.draft.broken
        self.enums()
        self.kinds()
        self.parameters()

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """Record a problem."""
        self.declarations.problem(code, message, span, hint)

    # Enums and kinds.

    def enums(self) -> None:
        """Enums; their names are none of the language's types."""
        for enum in self.draft.enums.values():
            if enum.name in FIELD_TYPES or enum.name == "optional":
                message = f"`{enum.name}` is a type of the language and no name for an enum"
                self.problem("name", message, enum.span)
                self.declarations.broken.add(("enum", enum.name))
            elif enum.members:
                self.declarations.enums[enum.name] = Type(enum.name, enum.members)

    def kinds(self) -> None:
        """Kinds with their fields, and what ends what."""
        for index, draft in enumerate(self.draft.kinds.values()):
            self.declarations.kinds[draft.name] = self.kind(draft, index)
        self.types_agree()
        for draft in self.draft.kinds.values():
            if draft.ends is not None:
                self.kind_ends(draft, draft.ends)

    def kind(self, draft: DraftKind, index: int) -> Kind:
        """A kind; what it ends is filled in when all kinds are known."""
        found = [self.field(declared) for declared in draft.fields]
        fields = tuple(field for field in found if field is not None)
        effect = draft.effect.text if draft.effect is not None else ""
        if draft.effect is not None and effect not in EFFECTS:
            hint = nearest(effect, EFFECTS) or f"known are {listing(EFFECTS)}"
            self.problem("unknown-name", f"unknown effect `{shorten(effect, 40)}`", draft.effect.span, hint)
        severity = self.whole_number(draft.severity, "`severity`") if draft.severity is not None else 0
        kind = Kind(draft.name, index, fields, draft.given, effect, severity or 0, None, draft.title, draft.span)
        if self.declarations.is_broken("kind", draft.name):
            return kind
        if effect in EFFECTS and draft.severity is None:
            hint = "`severity: 20` orders the kinds that make an account's status"
            message = f"the kind `{draft.name}` has an effect and no `severity`"
            self.problem("missing-key", message, draft.span, hint)
        until = kind.field("until")
        is_time = until is not None and until.type == TIME
        if effect == "interval" and not is_time and not self.declarations.is_broken("field", "until"):
            message = f"the kind `{draft.name}` has the effect `interval` and no field `until: time`"
            self.problem("missing-key", message, draft.span)
        return kind

    def kind_ends(self, draft: DraftKind, written: Written) -> None:
        """What facts of a kind end: another kind, with equal fields."""
        kinds = self.declarations.kinds
        kind = kinds[draft.name]
        try:
            scope = Scope(self.declarations, triggers=(kind,))
            selection = resolve_selection(written, scope, where_allowed=False)
        except Refused:
            return
        ended = selection.kind
        if not ended.effect and not self.declarations.is_broken("kind", ended.name):
            self.problem("ends", f"`{draft.name}` ends `{ended.name}`, which has no `effect`", written.span())
        slots = tuple((slot, kind.slots[ended.fields[slot].name]) for slot, _ in selection.by)
        kinds[draft.name] = replace(kind, ends=Ends(ended.index, slots), slots={})

    def types_agree(self) -> None:
        """One field name has one type in all kinds (contract: CSV and Parquet)."""
        seen: dict[str, tuple[Type, str]] = {}
        for draft in self.draft.kinds.values():
            places = {declared.name: declared.text.span for declared in draft.fields}
            for field in self.declarations.kinds[draft.name].fields:
                type_, where = seen.setdefault(field.name, (field.type, draft.name))
                if type_ != field.type:
                    message = (
                        f"the field `{field.name}` is of type `{field.type}` here and of type `{type_}` in `{where}`"
                    )
                    hint = "one field name has one type in all kinds"
                    self.problem("type", message, places[field.name], hint)
                    self.declarations.broken.add(("field", field.name))

    def field(self, declared: DraftField) -> Field | None:
        """A field: its type, and whether it is optional or has a default."""
        if declared.name in RESERVED_FIELDS or declared.name == self.declarations.subject:
            message = f"every fact has `{declared.name}`; a kind does not declare it"
            self.problem("name", message, declared.span)
            return None
        text = declared.text.text
        words, equals, default_text = text.partition("=")
        name = words.strip()
        optional = name.startswith("optional ")
        name = name.removeprefix("optional ").strip()
        type_ = FIELD_TYPES.get(name) or self.declarations.enums.get(name)
        if type_ is None:
            self.unknown_type(declared, name)
        elif equals and optional:
            message = "a field is either `optional` or has a default"
            self.problem("type", message, declared.text.within(0, len(text.rstrip())))
        elif not equals:
            return Field(declared.name, type_, not optional, None, declared.title)
        else:
            start = len(text) - len(default_text.lstrip())
            default = self.default(declared.text.part(start, len(text.rstrip())), type_)
            if default is not None:
                return Field(declared.name, type_, False, default, declared.title)
        self.declarations.broken.add(("field", declared.name))
        return None

    def unknown_type(self, declared: DraftField, name: str) -> None:
        """A type that is none of the language and no enum."""
        if self.declarations.is_broken("enum", name):
            return
        known = [*FIELD_TYPES, *self.declarations.enums]
        hint = nearest(name, known) or f"known are {listing(known, 20)}"
        if name.endswith("?"):
            hint = f"write `optional {name[:-1]}`"
        elif name in ("float", "number", "decimal", "int"):
            hint = "write `integer`: there are no floating-point numbers"
        elif name in ("string", "str"):
            hint = "write `text`, or `id` for what identifies something"
        start = declared.text.text.find(name) if name else 0
        span = declared.text.within(start, start + len(name)) if name else declared.text.span
        self.problem("unknown-type", f"unknown type `{shorten(name, 40)}`", span, hint)

    def default(self, scalar: Scalar, type_: Type) -> Value:
        """The value of a field's default; nothing where there is a problem."""
        if not scalar.text:
            self.problem(
                "literal", "the default is missing after `=`", scalar.whole[0].span if scalar.whole else scalar.span
            )
            return None
        found = self.constant(scalar, type_)
        return None if isinstance(found, Period) else found

    # Literals.

    def whole_number(self, scalar: Scalar, what: str) -> int | None:
        """An integer of 64 bits."""
        if scalar.refused:
            return None
        text = scalar.text.removeprefix("-")
        if not (text.isascii() and text.isdigit()):
            message = f"{what} must be an integer, not `{shorten(scalar.text, 40)}`"
            self.problem("type", message, scalar.span)
            return None
        if len(text) > 19 or not INTEGER_MIN <= int(scalar.text) <= INTEGER_MAX:
            self.problem("literal", f"{what} must be an integer of 64 bits", scalar.span)
            return None
        return int(scalar.text)

    def constant(self, scalar: Scalar, expected: Type) -> Constant | None:
        """A literal of an expected type."""
        written = parse(scalar, "expression", self.declarations.problems)
        if written is None:
            return None
        try:
            found = resolve(written, Scope(self.declarations), expected)
        except Refused:
            return None
        if isinstance(found, Literal):
            return found.value
        self.problem("literal", f"expected a literal, got `{shorten(scalar.text, 40)}`", scalar.span)
        return None

    def instant(self, scalar: Scalar | None) -> int | None:
        """A literal time."""
        found = self.constant(scalar, TIME) if scalar is not None and not scalar.refused else None
        return found if isinstance(found, int) else None

    # Parameters.

    def parameters(self) -> None:
        """Parameters, in the order of the draft."""
        for number, draft in enumerate(self.draft.parameters.values()):
            parameter = self.parameter(draft)
            if parameter is None:
                self.declarations.broken.add(("parameter", draft.name))
            else:
                self.declarations.parameters[draft.name] = (number, parameter)

    def parameter(self, draft: DraftParameter) -> Parameter | None:
        """A parameter: of one value, or of values by date that agree in type."""
        if draft.value is not None:
            found = self.parameter_value(draft.value)
            return None if found is None else Parameter(draft.name, *found, (), draft.title, draft.span)
        dated: dict[int, Constant] = {}
        type_: Type | None = None
        whole = True
        for date, value in draft.dated:
            start = self.instant(date)
            found = self.parameter_value(value)
            if start is None or found is None:
                whole = False
                continue
            if start in dated:
                message = f"the instant `{shorten(date.text, 40)}` stands here a second time"
                self.problem("duplicate-key", message, date.span)
            type_ = type_ or found[0]
            if type_ != found[0]:
                message = f"the values of `{draft.name}` are of different types: `{type_}` and `{found[0]}`"
                self.problem("type", message, value.span)
                whole = False
            dated[start] = found[1]
        if type_ is None or not whole:
            return None
        return Parameter(draft.name, type_, None, tuple(sorted(dated.items())), draft.title, draft.span)

    def parameter_value(self, scalar: Scalar) -> tuple[Type, Constant] | None:
        """The type and value of a literal, of a word, or of a text in quotes."""
        text = scalar.text
        if scalar.quoted and not _QUOTED_LITERAL.fullmatch(text):
            return TEXT, text
        if text.isidentifier() and text not in ("true", "false"):
            return WORD, text
        problems = self.declarations.problems
        before = len(problems)
        written = parse(scalar, "expression", problems)
        if written is not None:
            try:
                found = resolve(written, Scope(self.declarations))
            except Refused:
                found = None
            if isinstance(found, Literal):
                return found.type, found.value
        if any(problem.code in ("literal", "too-large", "too-deep") for problem in problems[before:]):
            return None
        del problems[before:]
        hint = "an integer, `true`, `72h`, `3 workdays`, `2015-01-01`, a word or a quoted text"
        self.problem("literal", f"`{shorten(text, 40)}` is no literal", scalar.span, hint)
        return None
