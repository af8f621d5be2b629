"""Given facts picked by their fields, to be taken away: what is named must be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..facts import BOOLEAN, DURATION, TIME, Fact, Type, Value
from ..ground.problems import RunError, nearest, shorten
from ..ground.values import ArithmeticFault, parse_duration
from ..model import Ruleset
from ..speech.outcome import json_value, record, to_json
from ..why.questions import instants, kind_named

Test = Callable[[Fact], bool]

NOT_COMPARED = ("rule",)
"""Keys of records that say nothing of a given fact."""


def chosen(ruleset: Ruleset, facts: Sequence[Fact], wanted: Mapping[str, object] | Fact) -> list[Fact]:
    """The given facts that have all the values named.

    Parameters
    ----------
    ruleset : Ruleset
        The ruleset.
    facts : sequence of Fact
        The given facts, of any subjects.
    wanted : mapping or Fact
        A fact (semantics 2 says which is the same), or values by column: `kind`, `at`, `known_at`, `seq`, the
        subject's field and fields of kinds. A bare date means that local day.

    Raises
    ------
    RunError
        Where there is no such fact, with the nearest; or a column or value is none.

    Examples
    --------
    >>> import strikeout
    >>> model = strikeout.load("taobao-counterfeit").model
    >>> chosen(model, [], {"complaint": "c1"})
    Traceback (most recent call last):
    ...
    strikeout.ground.problems.RunError: no given fact has complaint `c1`
    """
    if isinstance(wanted, Fact):
        same = [fact for fact in facts if _identity(fact) == _identity(wanted)]
        if same:
            return same
        wanted = record(ruleset, wanted)
    if not isinstance(wanted, Mapping):
        raise RunError(f"expected a mapping of columns to values, got `{shorten(str(wanted), 40)}`")
    if not wanted:
        raise RunError("say which facts to remove: by at least one field")
    tests = {
        name: _test(ruleset, name, value)
        for name, value in wanted.items()
        if name not in NOT_COMPARED and value is not None
    }
    found = [fact for fact in facts if all(test(fact) for test in tests.values())]
    if found:
        return found
    raise RunError(_none_such(ruleset, facts, wanted, tests))


def _identity(fact: Fact) -> tuple[object, ...]:
    """What makes two facts one (semantics 2)."""
    return fact.kind.name, fact.at, fact.seq, fact.subject, fact.values


def _test(ruleset: Ruleset, name: str, value: object) -> Test:
    """The test that a column's value sets."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if name == "kind":
        kind = kind_named(ruleset, text)
        return lambda fact: fact.kind is kind
    if name in ("at", "known_at"):
        start, end = instants(ruleset, text.replace(" ", "T"))
        return lambda fact: start <= (fact.at if name == "at" else fact.known_at) < end
    if name == "seq":
        return lambda fact: str(fact.seq) == text
    if name == ruleset.subject:
        return lambda fact: fact.subject == text
    types = {field.type for kind in ruleset.kinds for field in kind.fields if kind.given and field.name == name}
    if not types:
        known = [field.name for kind in ruleset.kinds if kind.given for field in kind.fields]
        hint = nearest(name, ["kind", "at", ruleset.subject, *known])
        message = f"no given fact can have `{shorten(name, 40)}`"
        raise RunError(message + (f"; {hint}" if hint else ""))
    tests = {type_: _equal(ruleset, type_, text) for type_ in types}

    def test(fact: Fact) -> bool:
        field = fact.kind.field(name)
        return field is not None and tests[field.type](fact.get(name))

    return test


def _equal(ruleset: Ruleset, type_: Type, text: str) -> Callable[[Value], bool]:
    """Whether a field's value is the one that a text gives."""
    if type_ == TIME:
        start, end = instants(ruleset, text.replace(" ", "T"))
        return lambda value: isinstance(value, int) and start <= value < end
    if type_ == DURATION:
        try:
            length = parse_duration(text)
        except (ValueError, ArithmeticFault) as error:
            raise RunError(str(error)) from None
        return lambda value: value == length
    if type_ == BOOLEAN:
        return lambda value: isinstance(value, bool) and str(value).lower() == text
    return lambda value: value is not None and str(value) == text


def _none_such(ruleset: Ruleset, facts: Sequence[Fact], wanted: Mapping[str, object], tests: Mapping[str, Test]) -> str:
    """What to say where no fact has all that is named: the value that none has, or the fact that has the most."""
    for name, test in tests.items():
        if not any(test(fact) for fact in facts):
            hint = nearest(str(wanted[name]), sorted({text for fact in facts if (text := _shown(ruleset, fact, name))}))
            message = f"no given fact has {name} `{shorten(str(wanted[name]), 60)}`"
            return message + (f"; {hint}" if hint else "")
    closest = max(facts, key=lambda fact: sum(test(fact) for test in tests.values()))
    named = ", ".join(f"{name} `{shorten(str(wanted[name]), 40)}`" for name in tests)
    return f"no given fact has all of {named}; the nearest is {to_json(record(ruleset, closest))}"


def _shown(ruleset: Ruleset, fact: Fact, name: str) -> str:
    """A column's value as text; nothing where the fact has none."""
    if name in ("at", "known_at"):
        return ruleset.zone.format(fact.at if name == "at" else fact.known_at)
    if name in ("kind", "seq", ruleset.subject):
        return {"kind": fact.kind.name, "seq": str(fact.seq)}.get(name, fact.subject)
    field = fact.kind.field(name)
    value = None if field is None else json_value(ruleset, field, fact.get(name))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
