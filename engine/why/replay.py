"""Expressions replayed: what each part of a rule came to when it was tried, over the facts that a run left behind.

It asks no engine: selections are answered from lists of the run's facts, cut where the step saw them end (semantics 5).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..facts import DURATION, Value
from ..functions import COMPARISONS, SEES_MISSING, Place, choose
from ..ground.problems import Span
from ..ground.values import ArithmeticFault, Period, checked_duration, checked_integer, dates_window_start, window_start
from ..machine.evaluate import as_fault
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
    ParameterValue,
    Rule,
    Selection,
    Since,
    SubjectName,
    This,
    TriggerField,
    Window,
    Within,
)
from .history import EMPTY, History, Row, field_value
from .proof import Stand, Tally, Term


@dataclass(slots=True)
class View:
    """What an expression sees: the rule, trigger, instant and step, joined facts, and what its `let` came to so far.

    With `before`, aggregates see earlier steps only, as a ladder's `before` does; with `detail`, tallies also say what
    they left out.
    """

    rule: Rule
    trigger: Stand
    joined: list[Stand]
    lets: dict[int, Term]
    before: bool = False
    detail: bool = True

    @property
    def now(self) -> int:
        """The instant of the step."""
        return self.trigger.fact.at


Omit = Callable[[View, "Found"], Tally]
"""Adds to a tally what it left out."""


@dataclass(frozen=True, slots=True)
class Found:
    """A selection answered: the tally so far, the row and the places in it, and the values of the key."""

    selection: Selection
    tally: Tally
    row: Row
    low: int
    key: tuple[Value, ...]


class Replay:
    """Evaluates a rule's expressions over a history, and keeps what each part came to.

    Parameters
    ----------
    history : History
        The facts.
    omit : callable
        Completes a tally with what was left out.
    """

    def __init__(self, history: History, omit: Omit) -> None:
        self.history = history
        self.ruleset = history.ruleset
        self.place = Place(self.ruleset.zone, self.ruleset.calendar)
        self.omit = omit

    def text(self, span: Span) -> str:
        """What a span covers, on one line."""
        return " ".join(span.text.split())

    def term(self, expression: Expression, view: View) -> Term:
        """Evaluate an expression.

        Raises
        ------
        Fault
            Where it has no value (semantics 11).
        """
        type_, span = expression.type, expression.span
        match expression:
            case Literal(value=value):
                return Term("literal", self.text(span), type_, value, span)
            case Now():
                return Term("now", "at", type_, view.now, span, "at")
            case SubjectName():
                name = self.ruleset.subject
                return Term("subject", name, type_, view.trigger.fact.subject, span, name)
            case TriggerField(name=name):
                return Term("field", name, type_, view.trigger.fact.get(name), span, name)
            case JoinedField(name=name, join=join, slot=slot):
                full = f"{view.rule.joins[join].alias}.{name}"
                return Term("joined", full, type_, field_value(view.joined[join], slot), span, full)
            case OwnField(name=name):
                raise TypeError(f"{name} outside `where`")
            case ParameterValue(parameter=number):
                parameter = self.ruleset.parameters[number]
                found = parameter.at(view.now)
                return Term("parameter", parameter.name, type_, found, span, parameter.name, title=parameter.title)
            case LetValue(let=number):
                let = view.rule.lets[number]
                if number not in view.lets:
                    view.lets[number] = self.term(let.value, view)
                return Term("let", let.name, type_, view.lets[number].value, span, let.name)
            case Logic():
                return self._logic(expression, view)
            case Choice():
                return self._choice(expression, view)
            case Operation():
                return self._operation(expression, view)
            case Aggregate():
                return self._aggregate(expression, view)

    def _logic(self, expression: Logic, view: View) -> Term:
        parts = []
        decided = expression.operator == "or"
        value = not decided
        for operand in expression.operands:
            parts.append(self.term(operand, view))
            if expression.operator == "not":
                value = not parts[0].value
            elif bool(parts[-1].value) == decided:
                value = decided
                break
        text = self.text(expression.span)
        return Term("logic", text, expression.type, value, expression.span, expression.operator, tuple(parts))

    def _choice(self, expression: Choice, view: View) -> Term:
        parts = []
        value = None
        for condition, branch in expression.branches:
            if condition is not None:
                parts.append(self.term(condition, view))
                if not parts[-1].value:
                    continue
            parts.append(self.term(branch, view))
            value = parts[-1].value
            break
        return Term("choice", self.text(expression.span), expression.type, value, expression.span, "if", tuple(parts))

    def _operation(self, expression: Operation, view: View) -> Term:
        operator, span = expression.operator, expression.span
        parts = tuple([self.term(operand, view) for operand in expression.operands])
        types = tuple("enum" if o.type.is_enum else o.type.name for o in expression.operands)
        row = choose(operator, types)
        if row is None:
            raise TypeError(f"no meaning of {operator} for {types}")
        values = [part.value for part in parts]
        if operator not in SEES_MISSING and None in values:
            value: Any = False if operator in COMPARISONS else None
        else:
            try:
                value = row.meaning(self.place, *values)
            except ArithmeticFault as fault:
                raise as_fault(fault, span) from None
        return Term("operation", self.text(span), expression.type, value, span, operator, parts)

    # Selections.

    def found(self, selection: Selection, window: Window, slot: int | None, view: View) -> Found:
        """Answer a selection in a window."""
        earlier_only = view.before or selection.kind.index in view.rule.backward
        names = [selection.kind.fields[place].name for place, _ in selection.by]
        terms = [self.term(expression, view) for _, expression in selection.by]
        key: tuple[Value, ...] = tuple(t.value if not isinstance(t.value, Period) else None for t in terms)
        row = EMPTY if None in key else self.history.row(selection, key)
        high = row.end(view.trigger.step, earlier_only)
        low, begins, inclusive, length, since = 0, None, True, None, None
        zone, now = self.ruleset.zone, view.now
        match window:
            case Within(length=expression):
                length = self.term(expression, view)
                begins, inclusive = self._begins(length.value, window.inclusive, now)
                low = high if begins is None else (bisect_left if inclusive else bisect_right)(row.ats, begins)
            case This(unit=unit):
                starts = {"day": zone.start_of_day, "month": zone.start_of_month, "year": zone.start_of_year}
                begins = starts[unit](now)
                low = bisect_left(row.ats, begins)
            case Since(selection=anchor):
                anchors = self.found(anchor, None, None, view)
                since = anchors.tally.counted[-1] if anchors.tally.counted else None
                low = bisect_left(row.steps, since.step) if since is not None else 0
        low = min(low, high)
        where = self.text(selection.where.span) if selection.where is not None else ""
        counted = tuple([self.history.stand(entry) for entry in row.entries[low:high]])
        clear = self._clear(counted, length, window, begins) if isinstance(window, Within) and counted else None
        tally = Tally(
            kind=selection.kind,
            key=tuple(zip(names, terms, strict=True)),
            where=where,
            slot=slot,
            begins=begins,
            inclusive=inclusive,
            now=now,
            length=length,
            window=self._window_text(window),
            since=since,
            earlier_only=earlier_only,
            counted=counted,
            clear_from=clear,
        )
        return Found(selection, tally, row, low, key)

    def _begins(self, length: object, inclusive: bool, now: int) -> tuple[int | None, bool]:
        zone = self.ruleset.zone
        if length is None:
            return None, inclusive
        if isinstance(length, Period) and length.unit == "dates":
            return dates_window_start(zone, now, length.count, inclusive), True
        if isinstance(length, Period | int):
            return window_start(zone, now, length), inclusive
        raise TypeError(f"{length} is no length")

    def _clear(self, counted: Sequence[Stand], length: Term | None, window: Within, begins: int | None) -> int | None:
        zone, newest = self.ruleset.zone, counted[-1].fact.at
        value = length.value if length is not None else None
        try:
            if isinstance(value, Period):
                if value.unit != "dates":
                    return None
                return zone.checked_instant(zone.begin(zone.date(newest) + value.count + window.inclusive))
            if isinstance(value, int):
                return zone.checked_instant(newest + value + window.inclusive)
        except ArithmeticFault:
            pass
        return None

    def _window_text(self, window: Window) -> str:
        match window:
            case None:
                return ""
            case This(unit=unit):
                return f"this {unit}"
            case Within(length=length, inclusive=inclusive):
                return f"within {self.text(length.span)}{' inclusive' if inclusive else ''}"
            case Since(selection=selection):
                return f"since {self.selection_text(selection)}"

    def selection_text(self, selection: Selection) -> str:
        """A selection as it is written."""
        where = f" where {self.text(selection.where.span)}" if selection.where is not None else ""
        by = ", ".join(selection.kind.fields[slot].name for slot, _ in selection.by)
        return f"{selection.kind.name}{where}{f' by {by}' if by else ''}"

    def tally(self, found: Found, view: View) -> Tally:
        """The tally of a selection, with what it left out where that is asked for."""
        return self.omit(view, found) if view.detail else found.tally

    def _aggregate(self, aggregate: Aggregate, view: View) -> Term:
        found = self.found(aggregate.selection, aggregate.window, aggregate.slot, view)
        value = self._value(aggregate, found.tally.counted)
        tally = self.tally(found, view)
        text = self.text(aggregate.span)
        return Term("aggregate", text, aggregate.type, value, aggregate.span, aggregate.function, tally=tally)

    def _value(self, aggregate: Aggregate, counted: Sequence[Stand]) -> Any:
        function, slot = aggregate.function, aggregate.slot
        if function in ("count", "any", "none"):
            return len(counted) if function == "count" else bool(counted) == (function == "any")
        if slot is None:
            raise TypeError(f"{function} of no field")
        if function in ("first", "last"):
            chosen = counted[-1 if function == "last" else 0] if counted else None
            return None if chosen is None else field_value(chosen, slot)
        values = [value for stand in counted if isinstance(value := field_value(stand, slot), int)]
        if function == "sum":
            checked = checked_duration if aggregate.type == DURATION else checked_integer
            try:
                return checked(sum(values))
            except ArithmeticFault as fault:
                raise as_fault(fault, aggregate.span) from None
        return (min if function == "min" else max)(values) if values else None


def conjuncts(condition: Expression | None) -> list[Expression]:
    """The parts of a condition that `and` joins."""
    if condition is None:
        return []
    if isinstance(condition, Logic) and condition.operator == "and":
        return [part for operand in condition.operands for part in conjuncts(operand)]
    return [condition]
