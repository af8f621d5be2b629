"""Facts as JSON text, fast: what a kind's facts have in common is written once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from ..facts import DURATION, TIME, Fact, Kind, Value
from ..ground.values import format_duration
from ..machine.runs import Entry, Pending
from ..model import Ruleset

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

    def entries(self, entries: Iterable[Entry]) -> bytes:
        """Conclusions as a JSON array."""
        return f"[{', '.join([self.fact(e.fact, e.reasons[0].rule.name) for e in entries])}]".encode()

    def pending(self, pending: Iterable[Pending]) -> bytes:
        """What is pending as a JSON array."""
        return f"[{', '.join([self.fact(p.fact, p.reasons[0].rule.name) for p in pending])}]".encode()


def _value(value: Value) -> str:
    if value.__class__ is str:
        return _quoted(value)
    return json.dumps(value)


def _duration(value: Value) -> str:
    return f'"{format_duration(int(value))}"'  # type: ignore[arg-type]
