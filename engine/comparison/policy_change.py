"""What the comparison of two rulesets holds: parts that came, went or changed, and what differs in them."""

from __future__ import annotations

from dataclasses import dataclass

from ..facts import Kind
from ..model import Derivation, Expression, Parameter, Rule, Ruleset


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that differs in a part.

    Attributes
    ----------
    what : str
        `when`, `with`, `let`, `if`, `then`, `of`, `step`, `void`, `from`, `until`, `title`, `cite`, `note`, `value`,
        `type`, `field`, `given`, `effect`, `severity` or `ends`; of a ruleset `version`, `subject`, `zone`, `calendar`
        or `terminal`.
    name : str
        Which one, where there are several: the name of a `let`, a join, a field, a ladder's threshold, a date.
    before, after : str or None
        As written in either; None, where it is not there.
    expressions : tuple of Expression or None, twice
        The expressions before and after, where there are.
    derivations : tuple of tuple of Derivation, twice
        What follows before and after, for `then` and `step`.
    """

    what: str
    name: str
    before: str | None
    after: str | None
    expressions: tuple[Expression | None, Expression | None] = (None, None)
    derivations: tuple[tuple[Derivation, ...], tuple[Derivation, ...]] = ((), ())


@dataclass(frozen=True, slots=True)
class PartChange:
    """A parameter, kind or rule that was added, removed, changed or renamed.

    Attributes
    ----------
    part : str
        `parameter`, `kind` or `rule`.
    how : str
        `added`, `removed`, `changed` or `renamed`.
    name, old_name : str
        Its name, and the one before.
    before, after : Parameter, Kind, Rule or None
        The part in either ruleset.
    details : tuple of Detail
        What differs; of one that came or went, nothing.
    """

    part: str
    how: str
    name: str
    old_name: str
    before: Parameter | Kind | Rule | None
    after: Parameter | Kind | Rule | None
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class PolicyDifferenceRecord:
    """What changed between two rulesets.

    Attributes
    ----------
    before, after : strikeout.model.Ruleset
        The rulesets.
    header : tuple of Detail
        What differs of the rulesets themselves.
    parameters, kinds, rules : tuple of PartChange
        What came, went or changed, in the order of the second ruleset, what went behind.
    affected : tuple of str
        The kinds that a changed rule, parameter or kind decides on directly.
    affected_through : tuple of str
        The kinds that rules derive from those.
    """

    before: Ruleset
    after: Ruleset
    header: tuple[Detail, ...]
    parameters: tuple[PartChange, ...]
    kinds: tuple[PartChange, ...]
    rules: tuple[PartChange, ...]
    affected: tuple[str, ...]
    affected_through: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.header or self.parameters or self.kinds or self.rules)
