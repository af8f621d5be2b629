"""Rules as written to rules of the model: triggers, joins, lets, conditions and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .declare import Declarer
from .expressions import Written
from .facts import BOOLEAN, INTEGER, TIME, Field, Kind, Type
from .known import known, known_from
from .model import (
    Choice,
    Derivation,
    Expression,
    Join,
    JoinedField,
    Ladder,
    Let,
    LetValue,
    OwnField,
    Parameter,
    Rule,
    TriggerField,
    VoidTarget,
    parts,
)
from .parse import DraftDerivation, DraftLet, DraftRule
from .problems import Span, listing, nearest, shorten
from .resolve import WORD, Declarations, Refused, Scope, resolve, resolve_selection

MOST_DEPTH = 150


@dataclass(slots=True)
class RuleBuilder:
    """Builds one rule; problems go to the declarations."""

    declarer: Declarer
    draft: DraftRule
    parameters: tuple[Parameter, ...]
    scope: Scope
    lets: dict[str, Let | None] = field(default_factory=dict)
    depths: dict[int, int] = field(default_factory=dict)
    unsure: bool = False

    @property
    def declarations(self) -> Declarations:
        """What the ruleset declares."""
        return self.declarer.declarations

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> Refused:
        """Record a problem."""
        return self.declarations.problem(code, message, span, hint)

    def attempt(self, job: Callable[[], Expression]) -> Expression | None:
        """An expression, or nothing where it was refused."""
        try:
            return job()
        except Refused:
            return None

    def expression(self, written: Written | None, expected: Type | None = None) -> Expression | None:
        """Resolve an expression of the rule and see that it is not too deep, lets included."""
        if written is None:
            return None
        found = self.attempt(lambda: resolve(written, self.scope, expected))
        if found is not None and self.depth(found) > MOST_DEPTH:
            self.problem("too-deep", f"with its `let` values this expression is deeper than {MOST_DEPTH} levels", written.span())
            return None
        return found

    def depth(self, expression: Expression) -> int:
        """How deep an expression is, lets entered."""
        deepest, pending = 0, [(expression, 1)]
        while pending:
            node, level = pending.pop()
            deepest = max(deepest, level + (self.depths.get(node.let, 0) if isinstance(node, LetValue) else 0))
            pending.extend((part, level + 1) for part in parts(node))
        return deepest

    # The parts of a rule.

    def build(self) -> Rule | None:
        """The rule, or nothing where a problem leaves no rule to speak of."""
        draft = self.draft
        before = len(self.declarations.problems)
        if not self.triggers():
            return None
        self.joins()
        self.names_are_free()
        lets = self.resolve_lets()
        condition = self.expression(draft.condition, BOOLEAN)
        self.unsure = len(lets) < len(draft.lets) or (condition is None and draft.condition is not None)
        starts = self.declarer.instant(draft.starts)
        ends = self.declarer.instant(draft.ends)
        if starts is not None and ends is not None and draft.ends is not None and ends <= starts:
            self.problem("never-fires", f"the rule `{draft.name}` ends before it starts", draft.ends.span)
        assumed = known_from(condition)
        then = self.derivations(draft.then, assumed)
        ladder = self.ladder(assumed)
        voids = self.void_targets()
        for let in draft.lets:
            if let.name not in self.scope.used_lets:
                self.warn("unused", f"nothing uses the `let` `{let.name}`", let.span)
        failed = any(not problem.warning for problem in self.declarations.problems[before:])
        if failed:
            return None
        return Rule(
            name=draft.name,
            triggers=self.scope.triggers,
            joins=tuple(self.scope.joins),
            lets=tuple(lets),
            condition=condition,
            then=then,
            ladder=ladder,
            voids=voids,
            starts=starts,
            ends=ends,
            span=draft.span,
            title=draft.title,
            cite=draft.cite,
            note=draft.note,
        )

    def warn(self, code: str, message: str, span: Span) -> None:
        """Record a warning."""
        self.problem(code, message, span)
        self.declarations.problems[-1] = replace(self.declarations.problems[-1], warning=True)

    def triggers(self) -> bool:
        """Resolve `when`."""
        written = self.draft.when
        if written is None:
            return False
        found: list[Kind] = []
        for token in written.tree.children:
            name = str(token)
            kind = self.declarations.kinds.get(name)
            if kind is None:
                span = written.span(token)
                hint = nearest(name, self.declarations.kinds)
                self.problem("unknown-kind", f"unknown kind `{shorten(name, 40)}`", span, hint)
            elif kind in found:
                self.problem("duplicate-key", f"the kind `{name}` stands here a second time", written.span(token))
            else:
                found.append(kind)
        self.scope.triggers = tuple(found)
        return len(found) == len(written.tree.children)

    def joins(self) -> None:
        """Resolve `with`, each entry seeing the trigger and the entries before it."""
        for alias, written in self.draft.joins:
            try:
                selection = resolve_selection(written, self.scope)
            except Refused:
                continue
            self.scope.joins.append(Join(alias.text, selection, alias.span))

    def names_are_free(self) -> None:
        """One name with two meanings is an error."""
        declarations = self.declarations
        taken: dict[str, str] = dict.fromkeys(declarations.parameters, "a parameter")
        taken.update(dict.fromkeys(self.scope.shared_fields(), "a field of the trigger"))
        taken[declarations.subject] = "the subject"
        named = [(alias.text, "an alias of `with`", alias.span) for alias, _ in self.draft.joins]
        named += [(let.name, "a `let`", let.span) for let in self.draft.lets]
        for name, what, span in named:
            other = taken.get(name)
            if other is None and what.startswith("an alias") and name in declarations.kinds:
                other = "a kind"
            if other is not None:
                message = f"`{name}` has two meanings here: {what} and {other}"
                self.problem("ambiguous", message, span, "rename one of them")
            taken[name] = what

    def resolve_lets(self) -> list[Let]:
        """Resolve lets, each after those that it uses; a circle among them is an error."""
        drafts = {let.name: let for let in self.draft.lets}
        numbers = {name: number for number, name in enumerate(drafts)}
        self.scope.lets = numbers
        self.scope.let_type = lambda name: self.let_type(name)
        order = self.let_order(drafts)
        for name in order:
            self.lets[name] = self.resolve_let(drafts[name])
            resolved = self.lets[name]
            if resolved is not None:
                self.depths[numbers[name]] = self.depth(resolved.value)
        return [let for let in (self.lets.get(name) for name in drafts) if let is not None]

    def let_type(self, name: str) -> Type:
        """The type of a let that has been resolved; of one that could not be, nothing more is said."""
        let = self.lets.get(name)
        if let is None:
            raise Refused
        return let.value.type

    def let_order(self, drafts: dict[str, DraftLet]) -> list[str]:
        """The names so that each comes after those that it uses."""
        uses = {name: _names(let) & drafts.keys() for name, let in drafts.items()}
        order: list[str] = []
        while len(order) < len(drafts):
            ready = [name for name in drafts if name not in order and uses[name] <= set(order)]
            if not ready:
                rest = [name for name in drafts if name not in order]
                message = f"these `let` names use each other in a circle: {listing(rest)}"
                self.problem("circle", message, drafts[rest[0]].span)
                return order
            order.extend(ready)
        return order

    def resolve_let(self, draft: DraftLet) -> Let | None:
        """Resolve one let; its branches agree in type."""
        expected: Type | None = None
        branches: list[tuple[Expression | None, Expression]] = []
        for condition, value in draft.branches:
            test = self.expression(condition, BOOLEAN)
            found = self.expression(value, expected if expected is not None else self.first_type(draft))
            if found is None or (condition is not None and test is None):
                return None
            expected = found.type
            branches.append((test, found))
        if draft.single:
            return Let(draft.name, branches[0][1], draft.span)
        return Let(draft.name, Choice(branches[0][1].type, draft.span, tuple(branches)), draft.span)

    def first_type(self, draft: DraftLet) -> Type | None:
        """The type that the branches of a let have: that of the first one that has one by itself."""
        if draft.single:
            return None
        for _, value in draft.branches:
            count = len(self.declarations.problems)
            try:
                found = resolve(value, self.scope)
            except Refused:
                del self.declarations.problems[count:]
                continue
            if found.type != WORD:
                return found.type
        return None

    # What follows.

    def derivations(
        self, drafts: tuple[DraftDerivation, ...], assumed: frozenset[Expression]
    ) -> tuple[Derivation, ...]:
        """Resolve the entries of a `then`."""
        found = [self.derivation(draft, assumed) for draft in drafts]
        return tuple(derivation for derivation in found if derivation is not None)

    def derivation(self, draft: DraftDerivation, assumed: frozenset[Expression]) -> Derivation | None:
        """Resolve one entry: each field from its expression, else carried over by name."""
        kind = self.declarations.kinds.get(draft.kind.text)
        if kind is None:
            hint = nearest(draft.kind.text, self.declarations.kinds)
            self.problem("unknown-kind", f"unknown kind `{shorten(draft.kind.text, 40)}`", draft.kind.span, hint)
            return None
        given: dict[str, Written] = {}
        for name, written in draft.fields:
            if kind.field(name.text) is None:
                names = [f.name for f in kind.fields]
                hint = nearest(name.text, names) or (f"its fields are {listing(names)}" if names else "it has no fields")
                self.problem("unknown-field", f"`{kind.name}` has no field `{shorten(name.text, 40)}`", name.span, hint)
            given[name.text] = written
        values = [self.field_value(kind, declared, given.get(declared.name), draft, assumed) for declared in kind.fields]
        at = self.expression(draft.at, TIME)
        if at is not None and draft.at is not None and not self.is_known(at, assumed):
            self.may_be_missing("the instant `at`", draft.at.span())
        return Derivation(kind, tuple(values), at, draft.kind.span)

    def field_value(
        self, kind: Kind, declared: Field, written: Written | None, draft: DraftDerivation, assumed: frozenset[Expression]
    ) -> Expression | None:
        """The expression that gives a field of a derived fact its value; nothing, and it is missing or the default."""
        span = draft.kind.span
        if written is not None:
            value = self.expression(written, declared.type)
            if value is not None and declared.required and not self.is_known(value, assumed):
                self.may_be_missing(f"the field `{declared.name}` of `{kind.name}`", written.span())
            return value
        carried = self.scope.carried(declared.name, span)
        if carried is not None and carried.type != declared.type:
            message = f"the field `{declared.name}` would carry over, but is of type `{carried.type}` there and `{declared.type}` in `{kind.name}`"
            self.problem("type", message, span, "give it an expression")
            return None
        if declared.required and carried is None:
            message = f"nothing supplies the required field `{declared.name}` of `{kind.name}`"
            hint = f"give it an expression: `{{{kind.name}: {{{declared.name}: …}}}}`"
            self.problem("missing-field", message, span, hint)
        elif declared.required and carried is not None and not self.is_known(carried, assumed):
            self.may_be_missing(f"the field `{declared.name}` of `{kind.name}`, which carries over,", span, declared.name)
        return carried

    def may_be_missing(self, what: str, span: Span, name: str = "…") -> None:
        """Record that a required value may be missing."""
        hint = f"guard it in `if`: `known({name})`, or give a value for that case: `coalesce({name}, …)`"
        self.problem("may-be-missing", f"{what} is required and may be missing", span, hint)

    def is_known(self, expression: Expression, assumed: frozenset[Expression]) -> bool:
        """Whether an expression cannot be missing where the rule fires; taken as known where that cannot be told."""
        if self.unsure:
            return True
        lets = [let.value for let in (self.lets.get(name) for name in self.scope.lets) if let is not None]
        memo: dict[int, bool] = {}

        def let_known(number: int) -> bool:
            if number not in memo:
                memo[number] = False
                memo[number] = number < len(lets) and known(lets[number], assumed, self.field_known, self.parameters, let_known)
            return memo[number]

        return known(expression, assumed, self.field_known, self.parameters, let_known)

    def field_known(self, node: TriggerField | JoinedField | OwnField) -> bool:
        """Whether a field is required or has a default in every kind that it may be of."""
        if isinstance(node, JoinedField):
            return node.slot < 0 or self.scope.joins[node.join].selection.kind.fields[node.slot].known
        if isinstance(node, TriggerField):
            slots = dict(node.slots)
            return all(kind.fields[slots[kind.index]].known for kind in self.scope.triggers)
        return False

    def ladder(self, assumed: frozenset[Expression]) -> Ladder | None:
        """Resolve a ladder; its steps ascend."""
        draft = self.draft.ladder
        if draft is None:
            return None
        of = self.expression(draft.of, INTEGER)
        steps: list[tuple[int, tuple[Derivation, ...]]] = []
        for scalar, drafts in draft.steps:
            threshold = self.declarer.whole_number(scalar, "a step of a ladder")
            if threshold is None:
                continue
            if steps and threshold <= steps[-1][0]:
                message = f"the steps of a ladder ascend; {threshold} comes after {steps[-1][0]}"
                self.problem("ladder", message, scalar.span, "write the steps in ascending order")
            steps.append((threshold, self.derivations(drafts, assumed)))
        return Ladder(of, tuple(steps), draft.span) if of is not None else None

    def void_targets(self) -> tuple[VoidTarget, ...]:
        """Resolve `void`."""
        found = []
        scope = Scope(self.declarations, triggers=self.scope.triggers)
        for written in self.draft.voids:
            try:
                selection = resolve_selection(written, scope, where_allowed=False)
            except Refused:
                continue
            found.append(VoidTarget(selection.kind, selection.by, written.span()))
        return tuple(found)


def _names(let: DraftLet) -> set[str]:
    return {
        str(token)
        for condition, value in let.branches
        for written in (condition, value)
        if written is not None
        for tree in written.tree.iter_subtrees()
        if tree.data == "name"
        for token in tree.children
    }

