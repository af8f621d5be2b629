"""The model: a checked ruleset, in which nothing is named by a string any more.

`check` makes it, the engines run it. Every node keeps its type and its span, so that a conclusion leads back to the
line that drew it; spans do not count when expressions are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .facts import Kind, Titles, Type
from .ground.calendars import Calendar
from .ground.problems import Problem, Span
from .ground.values import Period, Zone

Constant = str | int | bool | Period
"""A literal's value: as a field's, or a period."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal, or an enum's member."""

    type: Type
    span: Span = field(compare=False)
    value: Constant


@dataclass(frozen=True, slots=True)
class Now:
    """The instant of the step (`at`)."""

    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class SubjectName:
    """The subject, under its field's name."""

    type: Type
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class TriggerField:
    """A field of the trigger; `slots` gives its slot in each kind of `when`, by the kind's index."""

    type: Type
    span: Span = field(compare=False)
    name: str
    slots: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class JoinedField:
    """A field of the fact joined by the rule's `with` number `join`; slot -1 is its `at`."""

    type: Type
    span: Span = field(compare=False)
    name: str
    join: int
    slot: int


@dataclass(frozen=True, slots=True)
class OwnField:
    """Inside `where`: a field of the fact that is being selected; slot -1 is its `at`."""

    type: Type
    span: Span = field(compare=False)
    name: str
    slot: int


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """The value of the ruleset's parameter number `parameter` in force at the step."""

    type: Type
    span: Span = field(compare=False)
    parameter: int


@dataclass(frozen=True, slots=True)
class LetValue:
    """The value of the rule's `let` number `let`."""

    type: Type
    span: Span = field(compare=False)
    let: int


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or function on operands that are all evaluated: a row of `functions` by its name."""

    type: Type
    span: Span = field(compare=False)
    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or` or `not`: from the left, and only what is needed."""

    type: Type
    span: Span = field(compare=False)
    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The value of the first branch whose condition holds (None always does); missing where none holds."""

    type: Type
    span: Span = field(compare=False)
    branches: tuple[tuple[Expression | None, Expression], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Facts of one kind: those where `where` holds and whose slots in `by` equal the key expressions of the rule."""

    kind: Kind
    where: Expression | None
    by: tuple[tuple[int, Expression], ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Within:
    """The window `within LENGTH`: a duration, months back, or local dates; `inclusive` adds the far end."""

    length: Expression
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Since:
    """The window `since SELECTION`: from the step of the newest such fact on."""

    selection: Selection


@dataclass(frozen=True, slots=True)
class This:
    """The window `this day`, `this month` or `this year`: the same local calendar period."""

    unit: str


Window = Within | Since | This | None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count any none` of a selection, or `sum min max first last` of a field (slot -1 is `at`), over a window."""

    type: Type
    span: Span = field(compare=False)
    function: str
    selection: Selection
    slot: int | None
    window: Window


Expression = (
    Literal
    | Now
    | SubjectName
    | TriggerField
    | JoinedField
    | OwnField
    | ParameterValue
    | LetValue
    | Operation
    | Logic
    | Choice
    | Aggregate
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: one value, or values each in force from an instant on, in ascending order."""

    name: str
    type: Type
    value: Constant | None
    dated: tuple[tuple[int, Constant], ...]
    title: Titles
    span: Span

    def at(self, instant: int) -> Constant | None:
        """The value in force at an instant; missing before the first of dated values."""
        if not self.dated:
            return self.value
        newest: Constant | None = None
        for start, value in self.dated:
            if start <= instant:
                newest = value
        return newest


@dataclass(frozen=True, slots=True)
class Let:
    """A named value of a rule."""

    name: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Join:
    """One entry of `with`: the newest fact of the selection, under an alias."""

    alias: str
    selection: Selection
    span: Span


@dataclass(frozen=True, slots=True)
class Derivation:
    """What a rule derives: a kind, and for each of its fields an expression or None (missing, then the default).

    `at` is the instant for which the fact is scheduled; without it the fact holds now.
    """

    kind: Kind
    values: tuple[Expression | None, ...]
    at: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder: an integer expression and, ascending, thresholds with what follows when one is newly reached."""

    of: Expression
    steps: tuple[tuple[int, tuple[Derivation, ...]], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class VoidTarget:
    """Input facts that a void rule's trigger voids: of a kind, with the slots in `by` equal to the trigger's fields."""

    kind: Kind
    by: tuple[tuple[int, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule. It has `then`, or `ladder`, or `voids`.

    `starts` and `ends` bound the instants of the triggers for which it holds: [starts, ends). `stratum` is its place
    inside a step, and `backward` the indices of the kinds of which it sees earlier steps only; of every other kind that
    it reads it sees also what this step brought and derived (semantics 5).
    """

    name: str
    triggers: tuple[Kind, ...]
    joins: tuple[Join, ...]
    lets: tuple[Let, ...]
    condition: Expression | None
    then: tuple[Derivation, ...]
    ladder: Ladder | None
    voids: tuple[VoidTarget, ...]
    starts: int | None
    ends: int | None
    span: Span
    title: Titles = ()
    cite: str = ""
    note: Titles = ()
    stratum: int = 0
    backward: frozenset[int] = frozenset()

    def derivations(self) -> Iterator[tuple[int | None, int, Derivation]]:
        """Every derivation of the rule, with the ladder's threshold (or None) and the place in `then`."""
        for place, derivation in enumerate(self.then):
            yield None, place, derivation
        for threshold, derivations in self.ladder.steps if self.ladder else ():
            for place, derivation in enumerate(derivations):
                yield threshold, place, derivation


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """A checked ruleset: all that a run needs, and where each part was written.

    `kinds` are in the order of semantics 2; `rules` in the order in which they run inside a step (stratum, name);
    `void_rules` are decided before the run; `warnings` are the problems that do not stop it; `digest` names the
    content of all files that it was made of.
    """

    name: str
    version: str
    title: Titles
    note: Titles
    subject: str
    zone: Zone
    calendar: Calendar | None
    kinds: tuple[Kind, ...]
    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...]
    void_rules: tuple[Rule, ...]
    terminal: Kind | None
    span: Span
    warnings: tuple[Problem, ...] = ()
    digest: str = ""
    kinds_by_name: dict[str, Kind] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.kinds_by_name.update({kind.name: kind for kind in self.kinds})

    @property
    def derivable(self) -> tuple[Kind, ...]:
        """The kinds that some rule derives, in the order of kinds."""
        found = {d.kind.index for rule in self.rules for _, _, d in rule.derivations()}
        return tuple(kind for kind in self.kinds if kind.index in found)


def parts(expression: Expression) -> Iterator[Expression]:
    """The expressions directly inside one, windows, keys and `where` among them; a `let` is not entered.

    Together with recursion it reaches all that an expression reads in the text of its own.
    """
    if isinstance(expression, Operation | Logic):
        yield from expression.operands
    elif isinstance(expression, Choice):
        for condition, value in expression.branches:
            if condition is not None:
                yield condition
            yield value
    elif isinstance(expression, Aggregate):
        for selection in selections(expression):
            if selection.where is not None:
                yield selection.where
            yield from (key for _, key in selection.by)
        if isinstance(expression.window, Within):
            yield expression.window.length


def selections(aggregate: Aggregate) -> tuple[Selection, ...]:
    """The selections of an aggregate: its own, and that of its `since`."""
    if isinstance(aggregate.window, Since):
        return aggregate.selection, aggregate.window.selection
    return (aggregate.selection,)


def walk(expression: Expression) -> Iterator[Expression]:
    """An expression and all inside it, without entering `let` values."""
    pending = [expression]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(parts(node))


def rule_expressions(rule: Rule) -> Iterator[Expression]:
    """The expressions written in a rule: lets, keys of `with`, condition, `then` or ladder."""
    for join in rule.joins:
        yield from (key for _, key in join.selection.by)
        if join.selection.where is not None:
            yield join.selection.where
    yield from (let.value for let in rule.lets)
    if rule.condition is not None:
        yield rule.condition
    if rule.ladder is not None:
        yield rule.ladder.of
    for _, _, derivation in rule.derivations():
        yield from (value for value in derivation.values if value is not None)
        if derivation.at is not None:
            yield derivation.at
