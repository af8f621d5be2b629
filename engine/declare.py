"""What a ruleset declares: enums, kinds with their fields, and parameters, checked one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .expressions import Written, parse
from .facts import FIELD_TYPES, INTEGER, TEXT, TIME, Ends, Field, Kind, Type, Value
from .model import Constant, Literal, Parameter
from .parse import Draft, DraftKind, DraftParameter
from .problems import Span, listing, nearest, shorten
from .read import Scalar
from .resolve import WORD, Declarations, Refused, Scope, resolve, resolve_selection
from .values import INTEGER_MAX, INTEGER_MIN, Period

_QUOTED_LITERAL = re.compile(r"\d+[smhdw]|\d+ +(workday|date|month|year)s?|\d{4}-\d{2}-\d{2}(T[\d:.+Z-]+)?")
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
        self.enums()
        self.kinds()
        self.parameters()

    def enums(self) -> None:
        for enum in self.draft.enums.values():
            if enum.name in FIELD_TYPES or enum.name == "optional":
                self.problem("name", f"`{enum.name}` is a type of the language and no name for an enum", enum.span)
            elif enum.members:
                self.declarations.enums[enum.name] = Type(enum.name, enum.members)

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.declarations.problem(code, message, span, hint)

    def kinds(self) -> None:
        for index, draft in enumerate(self.draft.kinds.values()):
            fields = tuple(f for f in (self.field(draft, n) for n in range(len(draft.fields))) if f is not None)
            effect = draft.effect.text if draft.effect is not None else ""
            if draft.effect is not None and effect not in EFFECTS:
                hint = nearest(effect, EFFECTS) or f"known are {listing(EFFECTS)}"
                self.problem("unknown-name", f"unknown effect `{shorten(effect, 40)}`", draft.effect.span, hint)
            severity = self.whole_number(draft.severity, "`severity`") if draft.severity is not None else 0
            kind = Kind(
                draft.name, index, fields, draft.given, effect, severity or 0, None, draft.title, draft.span
            )
            if effect and draft.severity is None:
                hint = "`severity: 20` orders the kinds that make an account's status"
                self.problem("missing-key", f"the kind `{draft.name}` has an effect and no `severity`", draft.span, hint)
            until = kind.field("until")
            if effect == "interval" and (until is None or until.type != TIME):
                message = f"the kind `{draft.name}` has the effect `interval` and no field `until: time`"
                self.problem("missing-key", message, draft.span)
            self.declarations.kinds[draft.name] = kind
        self.types_agree()
        for draft in self.draft.kinds.values():
            if draft.ends is not None:
                self.kind_ends(draft, draft.ends)

    def kind_ends(self, draft: DraftKind, written: Written) -> None:
        kinds = self.declarations.kinds
        kind = kinds[draft.name]
        try:
            scope = Scope(self.declarations, triggers=(kind,))
            selection = resolve_selection(written, scope, where_allowed=False)
        except Refused:
            return
        if not selection.kind.effect:
            message = f"`{draft.name}` ends `{selection.kind.name}`, which has no `effect`"
            self.problem("ends", message, written.span())
        slots = tuple((slot, kind.slots[selection.kind.fields[slot].name]) for slot, _ in selection.by)
        kinds[draft.name] = replace(kind, ends=Ends(selection.kind.index, slots), slots={})

    def types_agree(self) -> None:
        """One field name has one type in all kinds (contract: CSV and Parquet)."""
        seen: dict[str, tuple[Type, str]] = {}
        for draft in self.draft.kinds.values():
            kind = self.declarations.kinds[draft.name]
            for field in kind.fields:
                type_, where = seen.setdefault(field.name, (field.type, kind.name))
                if type_ != field.type:
                    span = next(f.text.span for f in draft.fields if f.name == field.name)
                    message = f"the field `{field.name}` is of type `{field.type}` here and of type `{type_}` in `{where}`"
                    self.problem("type", message, span, "one field name has one type in all kinds")

    def field(self, draft: DraftKind, number: int) -> Field | None:
        declared = draft.fields[number]
        scalar = declared.text
        text = scalar.text
        if declared.name in RESERVED_FIELDS or declared.name == self.declarations.subject:
            self.problem("name", f"every fact has `{declared.name}`; a kind does not declare it", declared.span)
            return None
        words, _, default_text = text.partition("=")
        name = words.strip()
        optional = name.startswith("optional ")
        name = name.removeprefix("optional ").strip()
        type_ = FIELD_TYPES.get(name) or self.declarations.enums.get(name)
        if type_ is None:
            known_types = [*FIELD_TYPES, *self.declarations.enums]
            start = text.find(name) if name else 0
            hint = nearest(name, known_types) or f"known are {listing(known_types, 20)}"
            if name.endswith("?"):
                hint = f"write `optional {name[:-1]}`"
            self.problem("unknown-type", f"unknown type `{shorten(name, 40)}`", scalar.within(start, start + len(name)), hint)
            return None
        default: Value = None
        if "=" in text:
            if optional:
                self.problem("type", "a field is either `optional` or has a default", scalar.span)
            start = len(words) + 1 + len(default_text) - len(default_text.lstrip())
            shown = default_text.strip()
            inner = Scalar(shown, True, scalar.within(start, start + len(shown)))
            found = self.constant(inner, type_)
            default = found if not isinstance(found, Period) else None
            if default is None:
                return None
        return Field(declared.name, type_, not optional and default is None, default, declared.title)

    def whole_number(self, scalar: Scalar, what: str) -> int | None:
        text = scalar.text.removeprefix("-")
        if not (text.isascii() and text.isdigit()) or len(text) > 19:
            self.problem("type", f"{what} must be an integer, not `{shorten(scalar.text, 40)}`", scalar.span)
            return None
        number = int(scalar.text)
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            self.problem("literal", "an integer has 64 bits", scalar.span)
            return None
        return number

    def constant(self, scalar: Scalar, expected: Type) -> Constant | None:
        """A literal of an expected type."""
        written = parse(scalar, "expression", self.declarations.problems)
        if written is None:
            return None
        try:
            found = resolve(written, Scope(self.declarations), expected)
        except Refused:
            return None
        if isinstance(found, Literal) and self.in_range(found):
            return found.value
        if not isinstance(found, Literal):
            self.problem("literal", f"expected a literal, got `{shorten(scalar.text, 40)}`", scalar.span)
        return None

    def in_range(self, literal: Literal) -> bool:
        is_integer = literal.type == INTEGER and isinstance(literal.value, int)
        if is_integer and not INTEGER_MIN <= int(str(literal.value)) <= INTEGER_MAX:
            self.problem("literal", "an integer has 64 bits", literal.span)
            return False
        return True

    def instant(self, scalar: Scalar | None) -> int | None:
        if scalar is None:
            return None
        found = self.constant(scalar, TIME)
        return found if isinstance(found, int) else None

    # Parameters.

    def parameters(self) -> None:
        for number, draft in enumerate(self.draft.parameters.values()):
            parameter = self.parameter(draft)
            if parameter is not None:
                self.declarations.parameters[draft.name] = (number, parameter)
            else:
                self.declarations.parameters[draft.name] = (number, _broken(draft))

    def parameter(self, draft: DraftParameter) -> Parameter | None:
        if draft.value is not None:
            found = self.parameter_value(draft.value)
            return None if found is None else Parameter(draft.name, found[0], found[1], (), draft.title, draft.span)
        dated: list[tuple[int, Constant]] = []
        types: list[Type] = []
        for date, value in draft.dated:
            start = self.instant(date)
            found = self.parameter_value(value)
            if start is None or found is None:
                return None
            if any(start == other for other, _ in dated):
                self.problem("duplicate-key", f"the instant `{date.text}` stands here a second time", date.span)
            if types and types[0] != found[0]:
                message = f"the values of `{draft.name}` are of different types: `{types[0]}` and `{found[0]}`"
                self.problem("type", message, value.span)
                return None
            types.append(found[0])
            dated.append((start, found[1]))
        return Parameter(draft.name, types[0], None, tuple(sorted(dated, key=lambda d: d[0])), draft.title, draft.span)

    def parameter_value(self, scalar: Scalar) -> tuple[Type, Constant] | None:
        text = scalar.text
        if scalar.quoted and not _QUOTED_LITERAL.fullmatch(text):
            return TEXT, text
        if text.isidentifier() and text not in ("true", "false"):
            return WORD, text
        before = len(self.declarations.problems)
        written = parse(scalar, "expression", self.declarations.problems)
        if written is not None:
            try:
                found = resolve(written, Scope(self.declarations))
            except Refused:
                found = None
            if isinstance(found, Literal) and self.in_range(found):
                return found.type, found.value
        del self.declarations.problems[before:]
        hint = "an integer, `true`, `72h`, `3 workdays`, `2015-01-01`, a word or a quoted text"
        self.problem("literal", f"`{shorten(text, 40)}` is no literal", scalar.span, hint)
        return None


def _broken(draft: DraftParameter) -> Parameter:
    return Parameter(draft.name, Type("broken"), None, (), draft.title, draft.span)
