"""Rules as written to rules of the model: triggers, joins, lets, conditions and what follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..facts import BOOLEAN, INTEGER, TIME, Field, Kind, Type
from ..ground.problems import Problem, Span, closest, listing
from ..model import Choice, Derivation, Expression, Join, Ladder, Let, LetValue, Rule, VoidTarget, parts
from .declare import Declarer
from .draft import DraftDerivation, DraftLet, DraftRule
from .expressions import Written
from .known import Knowledge
from .let_order import let_order
from .resolve import resolve, resolve_selection
from .scope import WORD, Declarations, Refused, Scope

MOST_DEPTH = 150


@dataclass(slots=True)
class RuleBuilder:
    """Builds one rule; problems go to the declarations."""

    declarer: Declarer
    draft: DraftRule
    scope: Scope
    lets: dict[str, Let | None] = field(default_factory=dict)
    depths: dict[int, int] = field(default_factory=dict)
    knowledge: Knowledge | None = None
    refused: bool = False

    @property
    def declarations(self) -> Declarations:
        """What the ruleset declares."""
        return self.declarer.declarations

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """Record a problem; the rule cannot be built then."""
        self.declarations.problem(code, message, span, hint)
        self.refused = True

    def warn(self, code: str, message: str, span: Span) -> None:
        """Record a warning."""
        self.declarations.problems.append(Problem(code, message, span, warning=True))

    def expression(self, written: Written | None, expected: Type | None = None) -> Expression | None:
        """Resolve an expression of the rule and see that it is not too deep, lets included."""
        if written is None:
            return None
        try:
            found = resolve(written, self.scope, expected)
        except Refused:
            self.refused = True
            return None
        if self.depth(found) > MOST_DEPTH:
            message = f"with its `let` values this expression is deeper than {MOST_DEPTH} levels"
            self.problem("too-deep", message, written.span())
            return None
        return found

    def depth(self, expression: Expression) -> int:
        """How deep an expression is, lets entered."""
        deepest, pending = 0, [(expression, 1)]
        while pending:
            node, level = pending.pop()
            below = self.depths.get(node.let, 0) if isinstance(node, LetValue) else 0
            deepest = max(deepest, level + below)
            pending.extend((part, level + 1) for part in parts(node))
        return deepest

    # The parts of a rule.

    def build(self) -> Rule | None:
        """The rule, or nothing where a problem leaves no rule to speak of."""
        draft = self.draft
        self.refused = bool(draft.broken)
        if not self.triggers():
            return None
        self.joins()
        self.names_are_free()
        self.resolve_lets()
        condition = self.expression(draft.condition, BOOLEAN)
        if "if" not in draft.broken and (condition is None) == (draft.condition is None):
            lets = {number: self.lets.get(name) for name, number in self.scope.lets.items()}
            self.knowledge = Knowledge(condition, self.scope, lets)
        starts = self.declarer.instant(draft.starts)
        ends = self.declarer.instant(draft.ends)
        self.refused |= (starts is None) != (draft.starts is None) or (ends is None) != (draft.ends is None)
        if starts is not None and ends is not None and draft.ends is not None and ends <= starts:
            self.problem("never-fires", f"the rule `{draft.name}` ends before it starts", draft.ends.span)
        then = self.derivations(draft.then)
        ladder = self.ladder()
        voids = self.void_targets()
        if self.refused:
            return None
        for let in draft.lets:
            if let.name not in self.scope.used_lets:
                self.warn("unused", f"nothing uses the `let` `{let.name}`", let.span)
        return Rule(
            name=draft.name,
            triggers=self.scope.triggers,
            joins=tuple(self.scope.joins),
            lets=tuple(let for let in (self.lets[name] for name in self.scope.lets) if let is not None),
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

    def triggers(self) -> bool:
        """Resolve `when`."""
        written = self.draft.when
        if written is None:
            return False
        found: list[Kind] = []
        for token in written.tree.children:
            name, span = str(token), written.span(token)
            kind = self.declarations.kinds.get(name)
            if kind is None:
                self.declarations.unknown_kind(name, span)
            elif kind in found:
                self.problem("duplicate-key", f"the kind `{name}` stands here a second time", span)
            else:
                found.append(kind)
        self.scope.triggers = tuple(found)
        return len(found) == len(written.tree.children)

    def joins(self) -> None:
        """Resolve `with`, each entry seeing the trigger and the entries before it."""
        self.scope.partial = bool(self.draft.broken.intersection(("with", "let")))
        for alias, written in self.draft.joins:
            if written is not None:
                try:
                    selection = resolve_selection(written, self.scope)
                except Refused:
                    pass
                else:
                    self.scope.joins.append(Join(alias.text, selection, alias.span))
                    continue
            self.refused = True
            self.scope.broken.add(alias.text)

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
                # The problem is told once, not at each use.
                self.scope.broken.add(name)
            taken[name] = what

    def resolve_lets(self) -> None:
        """Resolve lets, each after those that it uses; a circle among them is an error."""
        drafts = {let.name: let for let in self.draft.lets}
        self.scope.lets = {name: number for number, name in enumerate(drafts)}
        self.scope.let_type = self.let_type
        order, circle = let_order(self.draft.lets)
        if circle:
            message = f"these `let` names use each other in a circle: {listing(circle)}"
            self.problem("circle", message, drafts[circle[0]].span)
        for name in order:
            let = self.lets[name] = self.resolve_let(drafts[name])
            if let is not None:
                self.depths[self.scope.lets[name]] = self.depth(let.value)

    def let_type(self, name: str) -> Type:
        """The type of a let that has been resolved; of one that could not be, nothing more is said."""
        let = self.lets.get(name)
        if let is None:
            raise Refused
        return let.value.type

    def resolve_let(self, draft: DraftLet) -> Let | None:
        """Resolve one let; its branches agree in type."""
        expected = self.first_type(draft)
        branches: list[tuple[Expression | None, Expression]] = []
        for condition, value in draft.branches:
            test = self.expression(condition, BOOLEAN)
            found = self.expression(value, expected)
            if found is not None and (condition is None or test is not None):
                branches.append((test, found))
                expected = found.type
        if not branches or len(branches) < len(draft.branches):
            return None
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

    def derivations(self, drafts: tuple[DraftDerivation, ...]) -> tuple[Derivation, ...]:
        """Resolve the entries of a `then`."""
        found = [self.derivation(draft) for draft in drafts]
        return tuple(derivation for derivation in found if derivation is not None)

    def derivation(self, draft: DraftDerivation) -> Derivation | None:
        """Resolve one entry: each field from its expression, else carried over by name."""
        if draft.kind.refused:
            return None
        name = draft.kind.text
        kind = self.declarations.kinds.get(name)
        if kind is None:
            self.declarations.unknown_kind(name, draft.kind.span)
            self.refused = True
            return None
        given = {field_name.text: written for field_name, written in draft.fields}
        meant = set()
        for field_name, _ in draft.fields:
            if kind.field(field_name.text) is None:
                self.declarations.unknown_field(kind, field_name.text, field_name.span)
                self.refused = True
                meant.add(closest(field_name.text, kind.slots))
        values: list[Expression | None] = []
        for declared in kind.fields:
            if declared.name in given:
                values.append(self.given_value(kind, declared, given[declared.name]))
            elif draft.partial or declared.name in meant:
                values.append(None)
            else:
                values.append(self.carried_value(kind, declared, draft.kind.span))
        at = self.expression(draft.at, TIME)
        if at is not None and draft.at is not None and not self.is_known(at):
            self.may_be_missing("the instant `at`", draft.at.span(), draft.at.scalar.text)
        return Derivation(kind, tuple(values), at, draft.kind.span)

    def given_value(self, kind: Kind, declared: Field, written: Written | None) -> Expression | None:
        """The expression that gives a field its value."""
        value = self.expression(written, declared.type)
        if value is not None and written is not None and declared.required and not self.is_known(value):
            self.may_be_missing(f"the field `{declared.name}` of `{kind.name}`", written.span(), written.scalar.text)
        return value

    def carried_value(self, kind: Kind, declared: Field, span: Span) -> Expression | None:
        """What carries over to a field by its name; nothing, and it is missing or the default."""
        name = declared.name
        if self.scope.broken or self.scope.partial or self.declarations.is_broken("field", name):
            return None
        carried = self.scope.carried(name, span)
        if declared.required and carried is None:
            kinds = (*self.scope.triggers, *(join.selection.kind for join in self.scope.joins))
            if not any(self.declarations.is_broken("kind", other.name) for other in kinds):
                hint = f"give it an expression: `{{{kind.name}: {{{name}: …}}}}`"
                message = f"nothing supplies the required field `{name}` of `{kind.name}`"
                self.problem("missing-field", message, span, hint)
        elif declared.required and carried is not None and not self.is_known(carried):
            self.may_be_missing(f"the field `{name}` of `{kind.name}`, which carries over,", span, name)
        return carried

    def may_be_missing(self, what: str, span: Span, text: str) -> None:
        """Record that a required value may be missing."""
        name = text if text.replace(".", "_").isidentifier() else "…"
        hint = f"guard it in `if`: `known({name})`, or give a value for that case: `coalesce({name}, …)`"
        self.problem("may-be-missing", f"{what} is required and may be missing", span, hint)

    def is_known(self, expression: Expression) -> bool:
        """Whether an expression cannot be missing where the rule fires; taken as known where that cannot be told."""
        return self.knowledge is None or self.knowledge.is_known(expression)

    def ladder(self) -> Ladder | None:
        """Resolve a ladder; its steps ascend."""
        draft = self.draft.ladder
        if draft is None:
            return None
        of = self.expression(draft.of, INTEGER)
        steps: list[tuple[int, tuple[Derivation, ...]]] = []
        for scalar, drafts in draft.steps:
            threshold = self.declarer.whole_number(scalar, "a step of a ladder")
            derivations = self.derivations(drafts)
            if threshold is None:
                self.refused = True
                continue
            if steps and threshold <= steps[-1][0]:
                message = f"the steps of a ladder ascend; `{threshold}` comes after `{steps[-1][0]}`"
                self.problem("ladder", message, scalar.span, "write the steps in ascending order")
            steps.append((threshold, derivations))
        return Ladder(of, tuple(steps), draft.span) if of is not None else None

    def void_targets(self) -> tuple[VoidTarget, ...]:
        """Resolve `void`; its fields are the trigger's."""
        found = []
        scope = Scope(self.declarations, triggers=self.scope.triggers)
        for written in self.draft.voids:
            try:
                selection = resolve_selection(written, scope, where_allowed=False)
            except Refused:
                self.refused = True
            else:
                found.append(VoidTarget(selection.kind, selection.by, written.span()))
        return tuple(found)
