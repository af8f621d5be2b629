"""The operators, functions and aggregates of the language: one row each, with types, meaning and a line of doc.

A new one is a row here and a case: the checker reads the types, the engines the meaning, the reference the doc.
Operands that are missing never reach a meaning: comparisons of them are false, all else is missing (`known` and
`coalesce` alone see them).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .ground.calendars import Calendar
from .ground.values import Period, Zone, add_period, checked_duration, checked_integer, floor_divide, modulo

Meaning = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where times are local: the ruleset's time zone and its calendar of working days."""

    zone: Zone
    calendar: Calendar | None


@dataclass(frozen=True, slots=True)
class Row:
    """An operator or function on operands of given types.

    `operands` are type names; a last one ending in `*` may repeat, `same` is any type, the same for all. `meaning`
    takes the place and the operands. `can_fail` says whether it can raise an arithmetic fault (semantics 10, 11).
    """

    name: str
    operands: tuple[str, ...]
    result: str
    meaning: Meaning
    doc: str
    can_fail: bool = False


@dataclass(frozen=True, slots=True)
class AggregateRow:
    """An aggregate: of which types a field it takes, its result (`field`: the field's type), whether it is known."""

    name: str
    takes: tuple[str, ...]
    result: str
    known: bool
    doc: str


def _integer(operation: Callable[..., int]) -> Meaning:
    return lambda place, *operands: checked_integer(operation(*operands))


def _duration(operation: Callable[..., int]) -> Meaning:
    return lambda place, *operands: checked_duration(operation(*operands))


def _instant(operation: Callable[..., int]) -> Meaning:
    return lambda place, *operands: place.zone.checked_instant(operation(*operands))


def _plain(operation: Callable[..., Any]) -> Meaning:
    return lambda place, *operands: operation(*operands)


def _plus(a: int, b: int) -> int:
    return a + b


def _minus(a: int, b: int) -> int:
    return a - b


def _times(a: int, b: int) -> int:
    return a * b


def _add_period(place: Place, instant: int, period: Period) -> int:
    return add_period(place.zone, place.calendar, instant, period)


def _subtract_period(place: Place, instant: int, period: Period) -> int:
    return add_period(place.zone, place.calendar, instant, period, -1)


def _contained(value: Any, *items: Any) -> bool:
    return value in items


ORDERED = ("integer", "time", "duration")

OPERATORS: tuple[Row, ...] = (
    Row("+", ("integer", "integer"), "integer", _integer(_plus), "sum", True),
    Row("+", ("duration", "duration"), "duration", _duration(_plus), "sum of durations", True),
    Row("+", ("time", "duration"), "time", _instant(_plus), "a time later by a duration", True),
    Row("+", ("duration", "time"), "time", _instant(_plus), "a time later by a duration", True),
    Row(
        "+",
        ("time", "workdays"),
        "time",
        _add_period,
        "the end of the n-th working day after that local day",
        True,
    ),
    Row("+", ("time", "dates"), "time", _add_period, "the local date moved, the clock kept", True),
    Row("+", ("time", "months"), "time", _add_period, "months or years later; a month's end clamps", True),
    Row("-", ("integer", "integer"), "integer", _integer(_minus), "difference", True),
    Row("-", ("duration", "duration"), "duration", _duration(_minus), "difference of durations", True),
    Row("-", ("time", "time"), "duration", _duration(_minus), "the duration between two times", True),
    Row("-", ("time", "duration"), "time", _instant(_minus), "a time earlier by a duration", True),
    Row("-", ("time", "dates"), "time", _subtract_period, "the local date moved back, the clock kept", True),
    Row("-", ("time", "months"), "time", _subtract_period, "months or years earlier", True),
    Row("*", ("integer", "integer"), "integer", _integer(_times), "product", True),
    Row("*", ("duration", "integer"), "duration", _duration(_times), "a duration, so many times", True),
    Row("*", ("integer", "duration"), "duration", _duration(_times), "a duration, so many times", True),
    Row(
        "//",
        ("integer", "integer"),
        "integer",
        _plain(floor_divide),
        "quotient, floored; by zero missing",
        True,
    ),
    Row(
        "//",
        ("duration", "integer"),
        "duration",
        _plain(floor_divide),
        "a share of a duration, floored",
        True,
    ),
    Row("//", ("duration", "duration"), "integer", _plain(floor_divide), "how often it fits, floored", True),
    Row("%", ("integer", "integer"), "integer", _plain(modulo), "what `//` leaves; by zero missing"),
    Row("%", ("duration", "duration"), "duration", _plain(modulo), "what `//` leaves; by zero missing"),
    Row("==", ("same", "same"), "boolean", _plain(lambda a, b: a == b), "equal"),
    Row("!=", ("same", "same"), "boolean", _plain(lambda a, b: a != b), "known and not equal"),
    *(
        row
        for type_ in ORDERED
        for row in (
            Row("<", (type_, type_), "boolean", _plain(lambda a, b: a < b), "less, earlier, shorter"),
            Row("<=", (type_, type_), "boolean", _plain(lambda a, b: a <= b), "at most"),
            Row(">", (type_, type_), "boolean", _plain(lambda a, b: a > b), "more, later, longer"),
            Row(">=", (type_, type_), "boolean", _plain(lambda a, b: a >= b), "at least"),
        )
    ),
    Row("in", ("same", "same*"), "boolean", _plain(_contained), "equal to one of a list"),
    Row(
        "not in",
        ("same", "same*"),
        "boolean",
        lambda place, v, *items: v not in items,
        "known and equal to none",
    ),
    Row("neg", ("integer",), "integer", _integer(lambda a: -a), "the negative", True),
    Row("neg", ("duration",), "duration", _duration(lambda a: -a), "the negative", True),
)

FUNCTIONS: tuple[Row, ...] = (
    Row("abs", ("integer",), "integer", _integer(abs), "the value without its sign", True),
    Row("abs", ("duration",), "duration", _duration(abs), "the duration without its sign", True),
    *(
        row
        for type_ in ORDERED
        for row in (
            Row("min", (type_, f"{type_}*"), type_, _plain(min), "the least of two or more values"),
            Row("max", (type_, f"{type_}*"), type_, _plain(max), "the greatest of two or more values"),
        )
    ),
    Row("known", ("same",), "boolean", _plain(lambda a: a is not None), "whether the value is not missing"),
    Row(
        "coalesce",
        ("same", "same*"),
        "same",
        _plain(lambda *values: next((v for v in values if v is not None), None)),
        "the first of the values that is not missing",
    ),
    Row(
        "day",
        ("time",),
        "time",
        lambda place, t: place.zone.start_of_day(t),
        "the start of the time's local day",
    ),
    Row(
        "month",
        ("time",),
        "time",
        lambda place, t: place.zone.start_of_month(t),
        "the start of its local month",
    ),
    Row("year", ("time",), "time", lambda place, t: place.zone.start_of_year(t), "the start of its local year"),
)

AGGREGATES: tuple[AggregateRow, ...] = (
    AggregateRow("count", (), "integer", True, "how many facts"),
    AggregateRow("any", (), "boolean", True, "whether there is a fact"),
    AggregateRow("none", (), "boolean", True, "whether there is no fact"),
    AggregateRow("sum", ("integer", "duration"), "field", True, "the sum of a field; of nothing 0"),
    AggregateRow("min", ORDERED, "field", False, "the least value of a field; of nothing missing"),
    AggregateRow("max", ORDERED, "field", False, "the greatest value of a field; of nothing missing"),
    AggregateRow("first", ("any",), "field", False, "the field of the oldest fact, as it is"),
    AggregateRow("last", ("any",), "field", False, "the field of the newest fact, as it is"),
)

SEES_MISSING = frozenset({"known", "coalesce"})
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})


def candidates(name: str) -> tuple[Row, ...]:
    """The rows of an operator or function."""
    return tuple(row for row in (*OPERATORS, *FUNCTIONS) if row.name == name)


def fits(row: Row, types: tuple[str, ...]) -> bool:
    """Whether operands of these types fit a row."""
    operands = row.operands
    if operands[-1].endswith("*"):
        if len(types) < len(operands):
            return False
        operands = operands[:-1] + (operands[-1][:-1],) * (len(types) - len(operands) + 1)
    if len(operands) != len(types):
        return False
    return all(o == t or o == "same" for o, t in zip(operands, types, strict=True))


def choose(name: str, types: tuple[str, ...]) -> Row | None:
    """The row of an operator or function for operands of these types, an enum's by the name `enum`.

    Examples
    --------
    >>> choose("+", ("time", "workdays")).result
    'time'
    """
    return next((row for row in candidates(name) if fits(row, types)), None)
