"""A rule as it is written, part by part, and what its derivations take over."""

from __future__ import annotations

from collections.abc import Iterator

from ..ground.problems import Span
from ..model import Choice, Derivation, Expression, JoinedField, Let, Logic, Rule


def as_written(rule: Rule) -> Iterator[str]:
    r"""The lines that say what a rule says, in the words of the language.

    Examples
    --------
    >>> import strikeout
    >>> rules = strikeout.load("taobao-counterfeit").model.rules
    >>> print("\n".join(as_written(next(rule for rule in rules if rule.name == "three-strikes"))))
    when  strike
    if    count(strike by complainant, right) >= strike_limit
    then  closure
    """
    yield f"when  {' or '.join(kind.name for kind in rule.triggers)}"
    for join in rule.joins:
        yield f"with  {join.alias}: {flat(join.selection.span)}"
    for let in rule.lets:
        yield from _let(let)
    if rule.condition is not None:
        yield from _labelled("if", rule.condition.span)
    for derivation in rule.then:
        yield f"then  {_derivation(rule, derivation)}"
    if rule.ladder is not None:
        yield f"of    {flat(rule.ladder.of.span)}"
        for threshold, derivations in rule.ladder.steps:
            yield f"{threshold:>5} {'; '.join(_derivation(rule, derivation) for derivation in derivations)}"
    for target in rule.voids:
        yield f"void  {flat(target.span)}"


def carried(derivation: Derivation) -> dict[int | None, list[str]]:
    """The fields that carry over by name: from the trigger (None), or from a join by its number."""
    found: dict[int | None, list[str]] = {}
    for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
        if value is not None and value.span == derivation.span:
            found.setdefault(value.join if isinstance(value, JoinedField) else None, []).append(field.name)
    return found


def conjuncts(condition: Expression | None) -> list[Expression]:
    """The parts of a condition that `and` joins."""
    if condition is None:
        return []
    if isinstance(condition, Logic) and condition.operator == "and":
        return [part for operand in condition.operands for part in conjuncts(operand)]
    return [condition]


def flat(span: Span) -> str:
    """What a span covers, on one line."""
    return " ".join(span.text.split())


def _let(let: Let) -> Iterator[str]:
    """A named value; one with branches has a line for each."""
    if not isinstance(let.value, Choice) or let.value.span != let.span:
        yield from _labelled(f"let   {let.name} =", let.value.span)
        return
    yield f"let   {let.name} ="
    for condition, value in let.value.branches:
        tail = f"  if {flat(condition.span)}" if condition is not None else ""
        yield f"        {flat(value.span)}{tail}"


def _derivation(rule: Rule, derivation: Derivation) -> str:
    given = []
    if derivation.at is not None:
        given.append(f"at = {flat(derivation.at.span)}")
    for field, value in zip(derivation.kind.fields, derivation.values, strict=True):
        if value is not None and value.span != derivation.span:
            given.append(f"{field.name} = {flat(value.span)}")
    return derivation.kind.name + (f" ({', '.join(given)})" if given else "")


def _labelled(label: str, span: Span) -> Iterator[str]:
    """A text as written behind a label, its further lines indented."""
    first, *rest = span.text.strip().split("\n")
    yield f"{label:<5} {first.strip()}"
    yield from (f"        {line.strip()}" for line in rest if line.strip())
