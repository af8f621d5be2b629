"""Facts as JSON text, fast: what a kind's facts have in common is written once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from ..facts import DURATION, TIME, Fact, Kind, Value
from ..ground.values import format_duration
from ..model import Rule, Ruleset

MOST_TIMES = 50_000
"""How many instants are remembered as text; then it starts anew."""

_quoted = json.encoder.encode_basestring

Written = Callable[[Value], str]


class Texts:
    """Writes facts of a ruleset's kinds, as `speech.outcome.to_json` writes their records, to the byte.

    Parameters
    ----------
    ruleset : Ruleset
        Whose kinds the facts are of.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._times: dict[int, str] = {}
        self._plans = [self._plan(kind) for kind in ruleset.kinds]
        self._head = f"{{{_quoted(ruleset.subject)}: "

    def _plan(self, kind: Kind) -> tuple[str, tuple[tuple[str, Written], ...]]:
        """What follows the subject up to the instant, and what stands before each field, with what writes it."""
        fields = []
        for field in kind.fields:
            written = self._time if field.type == TIME else _duration if field.type == DURATION else _value
            fields.append((f", {_quoted(field.name)}: ", written))
        return f', "kind": {_quoted(kind.name)}, "at": ', tuple(fields)

    def _time(self, value: Value) -> str:
        instant = int(value)  # type: ignore[arg-type]
        found = self._times.get(instant)
        if found is None:
            if len(self._times) >= MOST_TIMES:
                self._times.clear()
            found = self._times[instant] = f'"{self._ruleset.zone.format(instant)}"'
        return found

    def fact(self, fact: Fact, rule: str) -> str:
        """A derived fact as JSON."""
        kind, fields = self._plans[fact.kind.index]
        parts = [self._head, _quoted(fact.subject), kind, self._time(fact.at)]
        for (name, written), value in zip(fields, fact.values, strict=True):
            if value is not None:
                parts += (name, written(value))
        parts += (', "rule": ', _quoted(rule), "}")
        return "".join(parts)

    def facts(self, derived: Iterable[tuple[Fact, Rule]]) -> list[str]:
        """Derived facts, each with the rule that derived it, as JSON."""
        return [self.fact(fact, rule.name) for fact, rule in derived]


def array(texts: Sequence[str]) -> bytes:
    """Facts as a JSON array."""
    return f"[{', '.join(texts)}]".encode()


def _value(value: Value) -> str:
    if value.__class__ is str:
        return _quoted(value)
    return str(value) if value.__class__ is int else json.dumps(value)


def _duration(value: Value) -> str:
    return f'"{format_duration(int(value))}"'  # type: ignore[arg-type]
