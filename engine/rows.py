"""Rows to facts: every cell of a row checked against the kind that it names (contract, "Facts")."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from .facts import Fact, Field, Kind, Type, Value
from .ground.problems import listing, nearest, shorten
from .ground.values import INTEGER_MAX, INTEGER_MIN, ArithmeticFault, checked_duration, parse_duration

if TYPE_CHECKING:
    from .model import Ruleset


COMMON = ("kind", "at", "known_at", "seq")
MOST_CHARACTERS = 10_000
MOST_REMEMBERED = 50_000
"""How many texts of times, and how many sets of columns, a binder remembers; then it starts anew."""
MOST_HINTS = 1_000
"""For how many wrong words a binder looks for the nearest right one."""

Bound: TypeAlias = tuple[Kind, int, str, tuple[Value, ...], int, int]
"""What a fact is made of, in order: kind, at, subject, values, seq, known_at."""

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


class BadCell(Exception):
    """A cell that cannot be used: its column, what stands there, and what was expected.

    Attributes
    ----------
    column : str
        The column, or nothing where the whole row is meant.
    value : str
        What stands there, shortened.
    expected : str
        What was expected instead.
    """

    def __init__(self, column: str, value: object, expected: str) -> None:
        self.column = column
        self.value = _shown(value)
        self.expected = expected
        place = f"column `{column}`: " if column else ""
        comma = "," if expected.startswith(("expected", "no ")) else ""
        shown = f"`{self.value}`{comma} " if self.value else ""
        super().__init__(f"{place}{shown}{expected}")


def _shown(value: object) -> str:
    """A value as a message shows it; nothing where it has no short text."""
    if value is None or isinstance(value, list | tuple | set | frozenset | Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return shorten(str(value)[:200], 60)
    except ValueError:
        # Python writes no integers of more than some thousand digits.
        return ""


@dataclass(frozen=True, slots=True)
class Binder:
    """Makes facts of a ruleset's kinds from rows. It remembers what it has seen, and belongs to one thread.

    Parameters
    ----------
    ruleset : Ruleset
        Whose kinds the rows are facts of.
    ignored : collection of str
        Columns that no kind knows and that are passed over.
    """

    ruleset: Ruleset
    ignored: Collection[str] = ()
    _instants: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    _headers: dict[tuple[str, ...], Header] = field(default_factory=dict, repr=False, compare=False)
    _columns: frozenset[str] = field(init=False, repr=False, compare=False)
    _hints: dict[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = (field.name for kind in self.ruleset.kinds for field in kind.fields)
        object.__setattr__(self, "_columns", frozenset((*COMMON, self.ruleset.subject, *fields)))

    def columns(self) -> frozenset[str]:
        """Every column that some kind knows."""
        return self._columns

    def unknown_column(self, column: str) -> str:
        """What to say of a column that no kind knows."""
        hint = self.hint("column", column, self.columns())
        advice = hint or "name it under `--ignore-columns` to pass over it"
        return f"no kind of `{self.ruleset.name}` knows the column `{shorten(column, 40)}`; {advice}"

    def fact(self, row: Mapping[str, object], subject: str | None = None) -> Fact:
        """The fact that a row gives.

        Parameters
        ----------
        row : mapping
            Values by column: texts as in CSV, or as JSON and Python have them. An empty text or None is missing.
        subject : str, optional
            The subject of a row that names none.

        Raises
        ------
        BadCell
            At the first cell that cannot be used.

        Examples
        --------
        >>> import strikeout
        >>> binder = Binder(strikeout.load("taobao-counterfeit").model)
        >>> binder.fact({"kind": "withdrawal", "at": "2015-01-05", "seller": "s", "complaint": "c1"}).get("complaint")
        'c1'
        """
        columns = tuple(row)
        return Fact(*self.header(columns).bind([row[column] for column in columns], subject))

    def header(self, columns: tuple[str, ...]) -> Header:
        """What binds the rows that have these columns, in this order; made once and remembered."""
        found = self._headers.get(columns)
        if found is None:
            if len(self._headers) * len(columns) > MOST_REMEMBERED:
                self._headers.clear()
            found = self._headers[columns] = Header(self, columns)
        return found

    def kind(self, value: object) -> Kind:
        """The kind that a cell names: one that may be given."""
        name = _text("kind", value)
        given = [kind.name for kind in self.ruleset.kinds if kind.given]
        if name is None:
            raise BadCell("kind", None, f"missing: expected one of {listing(given)}")
        kind = self.ruleset.kinds_by_name.get(name)
        if kind is None:
            hint = self.hint("kind", name, given) or f"expected one of {listing(given)}"
            raise BadCell("kind", name, f"is no kind of `{self.ruleset.name}`; {hint}")
        if not kind.given:
            raise BadCell("kind", name, f"can only be derived; expected one of {listing(given)}")
        return kind

    def instant(self, column: str, value: object) -> int | None:
        """The instant that a cell gives, in microseconds since 1970 UTC; a time without an offset is local."""
        if value is None or value == "":
            return None
        if isinstance(value, str):
            found = self._instants.get(value)
            return self._parse_time(column, value) if found is None else found
        if isinstance(value, datetime.datetime):
            if getattr(value, "nanosecond", 0):
                raise BadCell(column, value, "is finer than microseconds")
            if value.tzinfo is None:
                return self._parse_time(column, value.isoformat())
            try:
                utc = value.replace(tzinfo=None) - _EPOCH - (value.utcoffset() or datetime.timedelta())
                return self.ruleset.zone.checked_instant(utc // _MICROSECOND)
            except ArithmeticFault as error:
                raise BadCell(column, value, str(error)) from None
        if isinstance(value, datetime.date):
            return self._parse_time(column, value.isoformat())
        raise BadCell(column, value, "expected a time, such as `2015-01-05` or `2015-01-05T09:30:00+08:00`")

    def _parse_time(self, column: str, text: str) -> int:
        try:
            found = self.ruleset.zone.parse(text)
        except (ValueError, ArithmeticFault) as error:
            raise BadCell(column, None, f"{error}") from None
        if len(self._instants) >= MOST_REMEMBERED:
            self._instants.clear()
        self._instants[text] = found
        return found

    def typed(self, field: Field, value: object) -> Value:
        """The value that a cell gives for a field; None where it is missing."""
        return None if value is None or value == "" else self.converter(field.name, field.type)(value)

    def converter(self, name: str, type_: Type) -> Callable[[object], Value]:
        """What makes a value of a type of a cell that is not missing, in a column of that name."""
        if type_.members:
            return self._member_converter(name, type_)
        match type_.name:
            case "integer":
                return partial(_integer, name)
            case "boolean":
                return partial(_boolean, name)
            case "time":
                return partial(self.instant, name)
            case "duration":
                return partial(_duration, name)
            case _:
                return partial(_text, name)

    def _member_converter(self, column: str, type_: Type) -> Callable[[object], Value]:
        """What takes only the members of an enum."""
        members = {member: member for member in type_.members}

        def convert(value: object) -> Value:
            found = members.get(value) if isinstance(value, str) else None
            if found is not None:
                return found
            text = _text(column, value)
            if text is not None and text not in members:
                hint = self.hint(f"type {type_}", text, type_.members) or f"expected one of {listing(type_.members)}"
                raise BadCell(column, text, f"is no member of `{type_}`; {hint}")
            return text

        return convert

    def hint(self, what: str, word: str, known: Iterable[str]) -> str:
        """The nearest of the known words of a sort, as a hint; where very many different words are wrong, no more."""
        key = (what, word[:200])
        found = self._hints.get(key)
        if found is None:
            if len(self._hints) == MOST_HINTS:
                return ""
            found = self._hints[key] = nearest(word, known)
        return found


class Header:
    """Binds rows that have the same columns in the same order: where each kind finds its fields is worked out once.

    Parameters
    ----------
    binder : Binder
        Whose kinds the rows are facts of.
    columns : tuple of str
        The columns, each once.
    """

    __slots__ = ("_at", "_binder", "_kind", "_known_at", "_plans", "_seq", "_subject", "_unknown", "columns")

    def __init__(self, binder: Binder, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self._binder = binder
        self._kind, self._at, self._known_at, self._seq, self._subject = (
            columns.index(name) if name in columns else -1 for name in (*COMMON, binder.ruleset.subject)
        )
        known = binder.columns()
        self._unknown = next((c for c in columns if c not in known and c not in binder.ignored), None)
        self._plans: dict[str, _Plan] = {}

    def bind(self, cells: Sequence[object], subject: str | None = None) -> Bound:
        """What the fact of a row is made of.

        Parameters
        ----------
        cells : sequence
            The row's values, one for each column.
        subject : str, optional
            The subject of a row that names none.

        Raises
        ------
        BadCell
            At the first cell that cannot be used.
        """
        binder, ruleset = self._binder, self._binder.ruleset
        cell = cells[self._kind] if self._kind >= 0 else None
        plan = self._plans.get(cell) if isinstance(cell, str) else None
        if plan is None:
            kind = binder.kind(cell)
            plan = self._plans[kind.name] = _Plan(self, binder, kind)
        who = _text(ruleset.subject, cells[self._subject]) if self._subject >= 0 else None
        if who is None:
            who = subject
            if who is None:
                raise BadCell(ruleset.subject, None, f"missing: every fact names its {ruleset.subject}")
        at = binder.instant("at", cells[self._at]) if self._at >= 0 else None
        if at is None:
            raise BadCell("at", None, "missing: every fact has a time")
        known_at = binder.instant("known_at", cells[self._known_at]) if self._known_at >= 0 else None
        seq = _integer("seq", cells[self._seq]) if self._seq >= 0 else None
        values: list[Value] = []
        for place, declared, convert in plan.fields:
            value = cells[place] if place >= 0 else None
            if value is None or value == "":
                if declared.required:
                    message = f"missing: the kind `{plan.kind.name}` needs `{declared.name}`"
                    raise BadCell(declared.name, None, message)
                values.append(declared.default)
            else:
                values.append(convert(value))
        for place in plan.others:
            value = cells[place]
            if value is not None and value != "":
                column = self.columns[place]
                raise BadCell(column, value, f"must be empty: the kind `{plan.kind.name}` has no field `{column}`")
        if self._unknown is not None:
            column = str(self._unknown)
            raise BadCell(column, cells[self.columns.index(self._unknown)], binder.unknown_column(column))
        return plan.kind, at, who, tuple(values), seq or 0, at if known_at is None else known_at


class _Plan:
    """Where in rows of a header a kind finds its fields, and which cells must be empty."""

    __slots__ = ("fields", "kind", "others")

    def __init__(self, header: Header, binder: Binder, kind: Kind) -> None:
        columns = header.columns
        self.kind = kind
        self.fields = [
            (columns.index(f.name) if f.name in columns else -1, f, binder.converter(f.name, f.type))
            for f in kind.fields
        ]
        elsewhere = binder.columns() - {*COMMON, binder.ruleset.subject, *kind.slots}
        self.others = [place for place, column in enumerate(columns) if column in elsewhere]


def _text(column: str, value: object) -> str | None:
    """An id or text: exact; of an integer its digits; the empty text is missing."""
    if isinstance(value, str) and value.isprintable() and len(value) <= MOST_CHARACTERS:
        return value or None
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadCell(column, value, "expected a text or an integer")
    if isinstance(value, int) and abs(value) >= 10**100:
        raise BadCell(column, None, "is an integer of more than 100 digits, which is no id")
    text = str(value)
    if len(text) > MOST_CHARACTERS:
        raise BadCell(column, text, f"is longer than {MOST_CHARACTERS:,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadCell(column, text, "holds half of a surrogate pair and is no text") from None
    if "\0" in text:
        raise BadCell(column, text, "holds a NUL character")
    return text


def _boolean(column: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value == "true" or value == "false":
        return value == "true"
    raise BadCell(column, value, "expected `true` or `false`")


def _integer(column: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        digits = value[1:] if value[:1] in "+-" else value
        if not (digits.isascii() and digits.isdigit() and len(digits) < 40):
            raise BadCell(column, value, "expected an integer")
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadCell(column, value, "expected an integer; there are no floating-point numbers")
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise BadCell(column, None if abs(value) >= 10**60 else value, "is beyond 64 bits")
    return value


def _duration(column: str, value: object) -> int:
    try:
        if isinstance(value, datetime.timedelta):
            if getattr(value, "nanoseconds", 0):
                raise ValueError("is finer than microseconds")
            return checked_duration(value // _MICROSECOND)
        if isinstance(value, str):
            return parse_duration(value)
    except (ValueError, ArithmeticFault) as error:
        raise BadCell(column, None, str(error)) from None
    raise BadCell(column, value, "expected a duration, such as `72h` or `PT259200S`")
