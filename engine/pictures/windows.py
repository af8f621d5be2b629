"""Windows in which conclusions merge others, and the fields by which they are counted, as the rules say."""

from __future__ import annotations

from collections.abc import Iterator

from ..facts import INTEGER, Fact, Kind
from ..ground.values import ArithmeticFault, Period
from ..model import Aggregate, Expression, LetValue, Literal, ParameterValue, Rule, Selection, Within, walk
from ..why.history import History, passes

Window = tuple[Selection, Within]
"""What a rule looks back for, and how far."""


class Windows:
    """The windows that the conclusions of a run open.

    Parameters
    ----------
    history : History
        The facts of the run.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.ruleset = history.ruleset
        self._of: dict[int, list[Window]] = {}

    def of(self, kind: Kind) -> list[Window]:
        """The windows in which rules that derive a kind look back for it; those of sums, which cap, are none."""
        if kind.index not in self._of:
            self._of[kind.index] = self._find(kind)
        return self._of[kind.index]

    def _find(self, kind: Kind) -> list[Window]:
        return [
            (node.selection, node.window)
            for rule in self.ruleset.rules
            if any(d.kind is kind for _, _, d in rule.derivations())
            for node in read(rule)
            if isinstance(node, Aggregate)
            and node.selection.kind is kind
            and isinstance(node.window, Within)
            and node.function != "sum"
        ]

    def length(self, window: Within, at: int) -> int | Period | None:
        """The length of a window at an instant, where it is a literal or a parameter."""
        expression = window.length
        if isinstance(expression, ParameterValue):
            value = self.ruleset.parameters[expression.parameter].at(at)
        else:
            value = expression.value if isinstance(expression, Literal) else None
        return value if isinstance(value, int | Period) else None

    def until(self, fact: Fact) -> int | None:
        """The end of the longest window that a conclusion opens; None where it opens none."""
        zone, ends = self.ruleset.zone, []
        for selection, window in self.of(fact.kind):
            length = self.length(window, fact.at)
            if length is None or not passes(self.history.test(selection), fact):
                continue
            try:
                if isinstance(length, int):
                    ends.append(zone.checked_instant(fact.at + length))
                elif length.unit == "dates":
                    day = zone.date(fact.at) + length.count + window.inclusive
                    ends.append(zone.checked_instant(zone.begin(day)))
            except ArithmeticFault:
                continue
        return max(ends, default=None)

    def counted_by(self, kind: Kind) -> tuple[int, ...] | None:
        """The fields by which rules count a kind without a window, the most of them; None where none does.

        A kind with an amount is added up, and not counted.
        """
        if any(field.type == INTEGER and field.required for field in kind.fields):
            return None
        found = [
            tuple(slot for slot, _ in node.selection.by)
            for rule in self.ruleset.rules
            for node in read(rule)
            if isinstance(node, Aggregate)
            and node.function == "count"
            and node.selection.kind is kind
            and node.window is None
            and node.selection.where is None
        ]
        return max(found, key=len, default=None)


def read(rule: Rule) -> Iterator[Expression]:
    """What the condition of a rule reads, `let` values included, and what its ladder measures."""
    first = [rule.condition] if rule.condition is not None else []
    pending: list[Expression] = [*first, *([rule.ladder.of] if rule.ladder is not None else [])]
    entered: set[int] = set()
    while pending:
        for node in walk(pending.pop()):
            yield node
            if isinstance(node, LetValue) and node.let not in entered:
                entered.add(node.let)
                pending.append(rule.lets[node.let].value)
