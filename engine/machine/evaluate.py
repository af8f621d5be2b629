"""Expressions to functions: each becomes a Python closure over a frame, which asks the graph view for aggregates.

Nothing is computed that is not asked for; a `let` is computed at most once in a frame.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from strikeout.graphs import GraphView, Index, KindShape, Series, first_place

from ..facts import DURATION, ID, Fact, Kind, Value
from ..functions import COMPARISONS, SEES_MISSING, Place, choose
from ..ground.problems import Span
from ..ground.values import ArithmeticFault, Period, checked_duration, checked_integer, dates_window_start, window_start
from ..model import (
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
    Rule,
    Ruleset,
    Selection,
    Since,
    SubjectName,
    This,
    TriggerField,
    Within,
)

Evaluator = Callable[[Any], Any]
"""A function of a frame (or, inside `where`, of a fact) that gives a value; None where it is missing."""

_UNSET = object()


class Fault(Exception):
    """An error of a run (semantics 11): its code, what happened, and where in the ruleset."""

    def __init__(self, code: str, message: str, span: Span) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span


class Frame:
    """What an expression sees: the trigger, the joined facts, the instant, and the facts so far.

    With `before`, aggregates see the facts of earlier steps only, as a ladder's `before` does (semantics 5).
    """

    __slots__ = ("before", "joined", "lets", "now", "step", "trigger", "view")

    def __init__(self, trigger: Fact, now: int, step: int, view: GraphView, lets: int) -> None:
        self.trigger = trigger
        self.now = now
        self.step = step
        self.view = view
        self.joined: list[Fact] = []
        self.before = False
        self.lets: list[object] = [_UNSET] * lets

    def as_of_before(self) -> Frame:
        """The same frame, in which aggregates see earlier steps only."""
        other = Frame(self.trigger, self.now, self.step, self.view, len(self.lets))
        other.joined = self.joined
        other.before = True
        return other


@dataclass(slots=True)
class Indices:
    """The indices of the graph view that a ruleset's aggregates and joins ask for, each once."""

    rows: list[Index] = field(default_factory=list)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def number(self, selection: Selection, where: Callable[[Any], bool | Exception] | None) -> int:
        """The number of the index for a selection."""
        keys = tuple(slot for slot, _ in selection.by)
        identity = (selection.kind.index, keys, selection.where)
        if identity not in self.known:
            self.known[identity] = len(self.rows)
            self.rows.append(Index(selection.kind.index, keys, where))
        return self.known[identity]

    def with_sum(self, number: int, slot: int) -> None:
        """Have an index keep running sums of a slot."""
        row = self.rows[number]
        if slot not in row.sums:
            self.rows[number] = Index(row.kind, row.keys, row.where, (*row.sums, slot), row.extremes)

    def with_extreme(self, number: int, function: str, slot: int) -> int:
        """Have an index keep the least or greatest values of a slot; their number in the index."""
        row = self.rows[number]
        if (function, slot) not in row.extremes:
            extremes = (*row.extremes, (function, slot))
            row = self.rows[number] = Index(row.kind, row.keys, row.where, row.sums, extremes)
        return row.extremes.index((function, slot))


def shapes(ruleset: Ruleset, indices: Sequence[Index]) -> list[KindShape]:
    """How each kind stands in the graph: its complainant (else its first id) leads to the subject."""
    keyed: dict[int, set[int]] = {}
    for index in indices:
        keyed.setdefault(index.kind, set()).update(index.keys)
    return [_shape(kind, keyed.get(kind.index, set())) for kind in ruleset.kinds]


def _shape(kind: Kind, keyed: set[int]) -> KindShape:
    ids = [(slot, f.name) for slot, f in enumerate(kind.fields) if f.type == ID]
    if not ids:
        return KindShape(None)
    source = next((pair for pair in ids if pair[1] == "complainant"), ids[0])
    return KindShape(source, tuple(pair for pair in ids if pair != source and pair[0] in keyed))


class Compiler:
    """Compiles the expressions of one rule into closures.

    Parameters
    ----------
    rule : Rule
        The rule; how it reads each kind decides what its aggregates see (semantics 5).
    place : Place
        The ruleset's time zone and calendar.
    parameters : tuple of Parameter
        The ruleset's parameters.
    indices : Indices
        Where the indices that are needed are gathered.
    subject : str
        The subject's field.
    """

    def __init__(self, rule: Rule, place: Place, parameters: tuple[Parameter, ...], indices: Indices) -> None:
        self.rule = rule
        self.place = place
        self.parameters = parameters
        self.indices = indices
        self.lets: list[Evaluator | None] = [None] * len(rule.lets)

    def compile(self, expression: Expression) -> Evaluator:
        """The closure of an expression."""
        match expression:
            case Literal(value=value):
                return lambda frame: value
            case Now():
                return lambda frame: frame.now
            case SubjectName():
                return lambda frame: frame.trigger.subject
            case TriggerField():
                return self._trigger_field(expression)
            case JoinedField(join=join, slot=slot):
                if slot < 0:
                    return lambda frame: frame.joined[join].at
                return lambda frame: frame.joined[join].values[slot]
            case OwnField(slot=slot):
                return (lambda fact: fact.at) if slot < 0 else (lambda fact: fact.values[slot])
            case ParameterValue(parameter=number):
                return self._parameter(self.parameters[number])
            case LetValue(let=number):
                return self._let(number)
            case Logic():
                return self._logic(expression)
            case Choice():
                return self._choice(expression)
            case Operation():
                return self._operation(expression)
            case Aggregate():
                return self._aggregate(expression)

    def _trigger_field(self, expression: TriggerField) -> Evaluator:
        places = dict(expression.slots)
        if len(set(places.values())) == 1:
            (slot,) = set(places.values())
            return lambda frame: frame.trigger.values[slot]
        return lambda frame: frame.trigger.values[places[frame.trigger.kind.index]]

    def _parameter(self, parameter: Parameter) -> Evaluator:
        if not parameter.dated:
            value = parameter.value
            return lambda frame: value
        starts = [start for start, _ in parameter.dated]
        values = [None, *(value for _, value in parameter.dated)]
        return lambda frame: values[bisect_right(starts, frame.now)]

    def _let(self, number: int) -> Evaluator:
        def evaluate(frame: Frame) -> Any:
            value = frame.lets[number]
            if value is _UNSET:
                evaluator = self.lets[number]
                if evaluator is None:
                    evaluator = self.lets[number] = self.compile(self.rule.lets[number].value)
                value = frame.lets[number] = evaluator(frame)
            return value

        if self.lets[number] is None:
            self.lets[number] = self.compile(self.rule.lets[number].value)
        return evaluate

    def _logic(self, expression: Logic) -> Evaluator:
        operands = [self.compile(operand) for operand in expression.operands]
        if expression.operator == "not":
            (operand,) = operands
            return lambda frame: not operand(frame)
        if expression.operator == "and":
            return lambda frame: all(operand(frame) for operand in operands)

        return lambda frame: any(operand(frame) for operand in operands)

    def _choice(self, expression: Choice) -> Evaluator:
        branches = [
            (None if condition is None else self.compile(condition), self.compile(value))
            for condition, value in expression.branches
        ]

        def choose_branch(frame: Any) -> Any:
            for condition, value in branches:
                if condition is None or condition(frame):
                    return value(frame)
            return None

        return choose_branch

    def _operation(self, expression: Operation) -> Evaluator:
        operator, span, place = expression.operator, expression.span, self.place
        operands = [self.compile(operand) for operand in expression.operands]
        types = tuple("enum" if o.type.is_enum else o.type.name for o in expression.operands)
        row = choose(operator, types)
        if row is None:
            raise TypeError(f"no meaning of {operator} for {types}")
        meaning = row.meaning
        if operator in SEES_MISSING:
            return lambda frame: meaning(place, *[operand(frame) for operand in operands])
        missing = False if operator in COMPARISONS else None
        if operator in ("==", "!=", "<", "<=", ">", ">="):
            return _comparison(operator, *operands)

        def evaluate(frame: Any) -> Any:
            values = [operand(frame) for operand in operands]
            if None in values:
                return missing
            try:
                return meaning(place, *values)
            except ArithmeticFault as fault:
                raise as_fault(fault, span) from None

        return evaluate

    # Aggregates.

    def where(self, selection: Selection) -> Callable[[Any], bool | Exception] | None:
        """The closure of `where`, over a fact; a fault is given back, to be raised where the fact is asked about."""
        if selection.where is None:
            return None
        condition = self.compile(selection.where)

        def verdict(fact: Any) -> bool | Exception:
            try:
                return bool(condition(fact))
            except Fault as fault:
                return fault

        return verdict

    def series(self, selection: Selection) -> tuple[int, Callable[[Frame], Series | None]]:
        """The number of a selection's index, and a function that finds its series for a frame."""
        number = self.indices.number(selection, self.where(selection))
        keys = [self.compile(key) for _, key in selection.by]
        backward = selection.kind.index in self.rule.backward
        fallible = selection.where is not None

        def find(frame: Frame) -> Series | None:
            view = frame.view
            if fallible and view.faults[number]:
                fault = view.fault(number, frame.step if backward or frame.before else None)
                if fault is not None:
                    raise fault
            return view.series(number, tuple([key(frame) for key in keys]))

        return number, find

    def bounds(self, aggregate: Aggregate) -> tuple[int, Callable[[Frame], tuple[Series, int, int] | None]]:
        """The number of an aggregate's index, and a function that gives the series with the places from and up to."""
        number, find = self.series(aggregate.selection)
        backward = aggregate.selection.kind.index in self.rule.backward
        low = self.low(aggregate)

        def bound(frame: Frame) -> tuple[Series, int, int] | None:
            series = find(frame)
            start = low(frame, series)
            if series is None:
                return None
            high = series.end(frame.step) if backward or frame.before else len(series.ats)
            return series, start, high

        return number, bound

    def low(self, aggregate: Aggregate) -> Callable[[Frame, Series | None], int]:
        """The place in a series where an aggregate's window begins."""
        window, zone = aggregate.window, self.place.zone
        match window:
            case None:
                return lambda frame, series: 0
            case This(unit=unit):
                starts = {"day": zone.start_of_day, "month": zone.start_of_month, "year": zone.start_of_year}
                start_of = starts[unit]
                return lambda frame, series: bisect_left(series.ats, start_of(frame.now)) if series is not None else 0
            case Since(selection=selection):
                _, find = self.series(selection)
                backward = selection.kind.index in self.rule.backward

                def since(frame: Frame, series: Series | None) -> int:
                    anchor = find(frame)
                    if anchor is None or series is None:
                        return 0
                    end = anchor.end(frame.step) if backward or frame.before else len(anchor.steps)
                    return bisect_left(series.steps, anchor.steps[end - 1]) if end else 0

                return since
            case Within(length=length_expression, inclusive=inclusive):
                length = self.compile(length_expression)

                def within(frame: Frame, series: Series | None) -> int:
                    value = length(frame)
                    if series is None:
                        return 0
                    if value is None:
                        return len(series.ats)
                    if isinstance(value, Period) and value.unit == "dates":
                        start = dates_window_start(zone, frame.now, value.count, inclusive)
                        return first_place(series.ats, start, True)
                    return first_place(series.ats, window_start(zone, frame.now, value), inclusive)

                return within

    def _aggregate(self, aggregate: Aggregate) -> Evaluator:
        number, bound = self.bounds(aggregate)
        function, span = aggregate.function, aggregate.span
        slot = aggregate.slot if aggregate.slot is not None else -1

        def count(frame: Frame) -> int:
            found = bound(frame)
            return max(found[2] - found[1], 0) if found is not None else 0

        if function == "count":
            return count
        if function == "any":
            return lambda frame: count(frame) > 0
        if function == "none":
            return lambda frame: count(frame) == 0
        if function == "sum":
            self.indices.with_sum(number, slot)
            checked = checked_duration if aggregate.type == DURATION else checked_integer

            def total(frame: Frame) -> int:
                found = bound(frame)
                if found is None:
                    return 0
                series, low, high = found
                try:
                    return checked(series.total(slot, low, high))
                except ArithmeticFault as fault:
                    raise as_fault(fault, span) from None

            return total
        if function in ("min", "max"):
            extreme = self.indices.with_extreme(number, function, slot)

            def best(frame: Frame) -> int | None:
                found = bound(frame)
                return found[0].extreme(extreme, found[1], found[2]) if found is not None else None

            return best
        newest = function == "last"

        def selected(frame: Frame) -> Value:
            found = bound(frame)
            if found is None or found[2] <= found[1]:
                return None
            series, low, high = found
            fact = series.facts[high - 1 if newest else low]
            return fact.at if slot < 0 else fact.values[slot]

        return selected

    def join(self, selection: Selection) -> Callable[[Frame], Fact | None]:
        """The newest fact of a selection, as `with` joins it."""
        _, find = self.series(selection)
        backward = selection.kind.index in self.rule.backward

        def newest(frame: Frame) -> Any:
            series = find(frame)
            if series is None:
                return None
            end = series.end(frame.step) if backward else len(series.facts)
            return series.facts[end - 1] if end else None

        return newest


def _comparison(operator: str, left: Evaluator, right: Evaluator) -> Evaluator:
    def equal(frame: Any) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and a == b

    def unequal(frame: Any) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and a != b

    def less(frame: Any) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and a < b

    def at_most(frame: Any) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and a <= b

    def more(frame: Any) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and a > b

    def at_least(frame: Any) -> bool:
        a, b = left(frame), right(frame)
        return a is not None and b is not None and a >= b

    return {"==": equal, "!=": unequal, "<": less, "<=": at_most, ">": more, ">=": at_least}[operator]


def as_fault(fault: ArithmeticFault, span: Span) -> Fault:
    """A fault of arithmetic as one of the run, with its place in the ruleset."""
    message = str(fault)
    return Fault("overflow" if message.startswith("overflow") else "calendar", message, span)
