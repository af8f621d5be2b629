"""Expressions in the words of policy, zh and en: what is counted, over which time, and what it must come to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..facts import TIME, Kind
from ..functions import COMPARISONS
from ..model import (
    Aggregate,
    Choice,
    Constant,
    Derivation,
    Expression,
    JoinedField,
    LetValue,
    Literal,
    Logic,
    Now,
    Operation,
    OwnField,
    ParameterValue,
    Ruleset,
    Selection,
    Since,
    SubjectName,
    This,
    TriggerField,
    Window,
    Within,
)
from ..speech.literals import literal

_PHRASES: dict[str, tuple[str, str]] = {
    "==": ("{0} 为 {1}", "{0} is {1}"),
    "!=": ("{0} 不为 {1}", "{0} is not {1}"),
    "<": ("{0} 小于 {1}", "{0} is less than {1}"),
    "<=": ("{0} 不超过 {1}", "{0} is at most {1}"),
    ">": ("{0} 超过 {1}", "{0} is more than {1}"),
    ">=": ("{0} 不少于 {1}", "{0} is at least {1}"),
    "< time": ("{0} 早于 {1}", "{0} is before {1}"),
    "<= time": ("{0} 不晚于 {1}", "{0} is not after {1}"),
    "> time": ("{0} 晚于 {1}", "{0} is after {1}"),
    ">= time": ("{0} 不早于 {1}", "{0} is not before {1}"),
    "in": ("{0} 为 {1} 之一", "{0} is one of {1}"),
    "not in": ("{0} 不为 {1} 中任一", "{0} is none of {1}"),
    "and": ("，且 ", ", and "),
    "or": ("，或 ", ", or "),
    "not": ("并非 {0}", "not {0}"),
    "if": ("若 {0} 则 {1}", "{1} if {0}"),
    "else": ("否则 {0}", "else {0}"),
    "branches": ("；", "; "),
    "list": ("、", ", "),
    "known": ("{0} 已知", "{0} is known"),
    "coalesce": ("{0}（缺则 {1}）", "{0} (or {1}, where missing)"),
    "min": ("{0} 与 {1} 中较小者", "the lesser of {0} and {1}"),
    "max": ("{0} 与 {1} 中较大者", "the greater of {0} and {1}"),
    "abs": ("{0} 的绝对值", "the size of {0}"),
    "day": ("{0} 当日", "the day of {0}"),
    "month": ("{0} 当月", "the month of {0}"),
    "year": ("{0} 当年", "the year of {0}"),
    "at": ("当时", "the time"),
    "later": ("{0} 之后", "{0} later"),
    "count": ("{0}的件数", "the number of {0}"),
    "any": ("有{0}", "there is {0}"),
    "none": ("没有{0}", "there is no {0}"),
    "sum": ("{0}的 {1} 之和", "the sum of {1} of {0}"),
    "least": ("{0}的 {1} 最小值", "the least {1} of {0}"),
    "greatest": ("{0}的 {1} 最大值", "the greatest {1} of {0}"),
    "first": ("最早的{0}的 {1}", "the {1} of the first {0}"),
    "last": ("最近的{0}的 {1}", "the {1} of the newest {0}"),
    "where": ("（{0}）", " ({0})"),
    "by": ("同一 {0} 的", " of the same {0}"),
    "same": (" 与 ", " and "),
    "within": ("{0} 内的", " within {0}"),
    "within-inclusive": ("{0} 内（含起点）的", " within {0}, its start included"),
    "since": ("自最近的{0}以来的", " since the newest {0}"),
    "this-day": ("当日的", " of the same day"),
    "this-month": ("当月的", " of the same month"),
    "this-year": ("当年的", " of the same year"),
    "valued": ("{0}（{1}）", "{0} ({1})"),
    "time": ("时间", "time"),
    "with-fields": ("{0}（{1}）", "{0} ({1})"),
    "due": ("于 {0}", "at {0}"),
}
"""Phrases: zh, en."""

_BORDER = re.compile(r"(?<=[A-Za-z0-9_])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9_])")
"""Where Chinese and other letters meet."""

_BINARY = ("+", "-", "*", "//", "%")


class Prose:
    """Puts expressions into words.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    language : str
        `zh` or `en`.

    Examples
    --------
    >>> import strikeout
    >>> model = strikeout.load("taobao-counterfeit").model
    >>> rule = next(rule for rule in model.rules if rule.name == "three-strikes")
    >>> Prose(model, "en").of(rule.condition)
    'the number of strike facts of the same complainant and right is at least strike_limit (3)'
    """

    def __init__(self, ruleset: Ruleset, language: str) -> None:
        self.ruleset = ruleset
        self.zh = language == "zh"

    def say(self, phrase: str, *parts: str) -> str:
        """A phrase with its parts filled in."""
        text = _PHRASES[phrase][0 if self.zh else 1].format(*parts)
        return _BORDER.sub(" ", text) if self.zh else text

    def kind(self, kind: Kind) -> str:
        """A kind in running text: in zh its title and name."""
        title = dict(kind.title).get("zh") if self.zh else None
        return f"{title} {kind.name}" if title else kind.name

    def constant(self, expression: Expression, value: Constant | None) -> str:
        """A constant of an expression's type."""
        text = literal(self.ruleset, expression.type, value)
        return text[:10] if expression.type == TIME and "T00:00:00" in text else text

    def of(self, expression: Expression, inner: bool = False) -> str:
        """An expression in words; an inner one in brackets, where it would be unclear without."""
        match expression:
            case Literal(value=value):
                return self.constant(expression, value)
            case Now():
                return self.say("at")
            case SubjectName():
                return self.ruleset.subject
            case TriggerField(name=name) | OwnField(name=name):
                return self.say("time") if name == "at" else name
            case JoinedField(name=name):
                return name
            case ParameterValue(parameter=number):
                parameter = self.ruleset.parameters[number]
                if parameter.dated:
                    return parameter.name
                return self.say("valued", parameter.name, self.constant(expression, parameter.value))
            case LetValue():
                return " ".join(expression.span.text.split())
            case Logic():
                return self._logic(expression, inner)
            case Choice():
                return self._choice(expression, inner)
            case Operation():
                return self._operation(expression, inner)
            case Aggregate():
                return self._aggregate(expression)

    def _logic(self, expression: Logic, inner: bool) -> str:
        if expression.operator == "not":
            return self.say("not", self.of(expression.operands[0], True))
        text = self.say(expression.operator).join(self.of(part, True) for part in expression.operands)
        return self._bracketed(text, inner)

    def _bracketed(self, text: str, inner: bool) -> str:
        if not inner:
            return text
        return f"（{text}）" if self.zh else f"({text})"

    def _choice(self, expression: Choice, inner: bool) -> str:
        told = []
        for condition, value in expression.branches:
            if condition is not None:
                told.append(self.say("if", self.of(condition), self.of(value)))
            else:
                told.append(self.say("else", self.of(value)) if told else self.of(value))
        return self._bracketed(self.say("branches").join(told), inner)

    def _operation(self, expression: Operation, inner: bool) -> str:
        operator, operands = expression.operator, expression.operands
        if operator in ("in", "not in"):
            choices = self.say("list").join(self.of(part) for part in operands[1:])
            return self.say(operator, self.of(operands[0], True), choices)
        if operator == "+" and isinstance(operands[0], Now):
            return self.say("later", self.of(operands[1], True))
        comparing = operator in COMPARISONS
        parts = [self.of(part, not comparing or isinstance(part, Logic | Choice)) for part in operands]
        if operator in ("+", "-") and isinstance(operands[0], Operation) and operands[0].operator in ("+", "-"):
            parts[0] = self.of(operands[0])
        if operator in _BINARY and len(parts) == 2:
            return self._bracketed(f"{parts[0]} {operator} {parts[1]}", inner)
        if operator == "-":
            return f"-{parts[0]}"
        if operator in ("<", "<=", ">", ">=") and operands[0].type == TIME:
            operator += " time"
        if operator in ("min", "max", "coalesce") and len(parts) > 2:
            parts = [self.say("list").join(parts[:-1]), parts[-1]]
        if operator not in _PHRASES or len(parts) not in (1, 2):
            return " ".join(expression.span.text.split())
        return self.say(operator, *parts)

    def _aggregate(self, aggregate: Aggregate) -> str:
        function = {"min": "least", "max": "greatest"}.get(aggregate.function, aggregate.function)
        what = self.selection(aggregate.selection, aggregate.window, counted=function == "count")
        if aggregate.slot is None:
            return self.say(function, what)
        slot = aggregate.slot
        return self.say(function, what, self.say("time") if slot < 0 else aggregate.selection.kind.fields[slot].name)

    def selection(self, selection: Selection, window: Window = None, counted: bool = False) -> str:
        """What is selected, in which window; in en, where it is `counted`, as facts."""
        where = "" if selection.where is None else self.say("where", self.of(selection.where))
        names = self.say("same").join(selection.kind.fields[slot].name for slot, _ in selection.by)
        by = self.say("by", names) if names else ""
        kind = self.kind(selection.kind) + (" facts" if counted and not self.zh else "")
        return f"{self._window(window)}{by}{kind}{where}" if self.zh else f"{kind}{where}{by}{self._window(window)}"

    def _window(self, window: Window) -> str:
        match window:
            case None:
                return ""
            case This(unit=unit):
                return self.say(f"this-{unit}")
            case Since(selection=selection):
                return self.say("since", self.selection(selection))
            case Within(length=length, inclusive=inclusive):
                return self.say("within-inclusive" if inclusive else "within", self.of(length, True))

    def derivation(self, derivation: Derivation) -> str:
        """What follows: the kind, with the fields that are written out."""
        told = [] if derivation.at is None else [self.say("due", self.of(derivation.at))]
        for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
            if value is not None and value.span != derivation.span:
                told.append(f"{field.name} {self.of(value)}")
        kind = self.kind(derivation.kind)
        return self.say("with-fields", kind, self.say("list").join(told)) if told else kind

    def derivations(self, derivations: Sequence[Derivation]) -> str:
        """Several things that follow."""
        return self.say("branches").join(self.derivation(derivation) for derivation in derivations)
