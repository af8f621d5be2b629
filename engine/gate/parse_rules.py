"""One rule of a file to its draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..ground.problems import Span, listing, quoted, shorten
from .draft import DraftDerivation, DraftLadder, DraftLet, DraftRule
from .expressions import Written
from .nodes import Mapping, Node, Scalar, Sequence
from .shapes import Shapes

MOST_JOINS = 20
MOST_LETS = 60
MOST_BRANCHES = 200
MOST_STEPS = 1_000
MOST_ENTRIES = 100

RULE_KEYS = ("title", "cite", "note", "when", "with", "let", "if", "then", "ladder", "void", "from", "until")
OUTCOMES = ("then", "ladder", "void")

_Part = TypeVar("_Part")


class RuleParser(Shapes):
    """Parses one rule; problems are collected, and the draft says which of its parts have one."""

    def rule(self, name: Scalar, node: Node) -> DraftRule | None:
        """The draft of a rule, or nothing where it has not the shape of one."""
        label = f"the rule `{shorten(name.text, 40)}`"
        mapping = self.mapping(node, label)
        if mapping is None:
            return None
        broken: set[str] = set()
        self.part(broken, "rule", lambda: self.rule_head(mapping, name, label))
        when = self.part(broken, "when", lambda: self.when(mapping.get("when")))
        joins = self.part(broken, "with", lambda: self.joins(mapping.get("with"), name.span))
        lets = self.part(broken, "let", lambda: self.lets(mapping.get("let"), name.span))
        condition = self.part(broken, "if", lambda: self.written(mapping.get("if"), "`if`"))
        then = self.part(broken, "then", lambda: self.derivations(mapping.get("then"), "`then`", name.span))
        ladder = self.part(broken, "ladder", lambda: self.ladder(mapping.get("ladder"), label, name.span))
        voids = self.part(broken, "void", lambda: self.voids(mapping.get("void"), name.span))
        starts = self.part(broken, "from", lambda: self.scalar(mapping.get("from"), "`from`"))
        ends = self.part(broken, "until", lambda: self.scalar(mapping.get("until"), "`until`"))
        cites = [self.scalar(item, "`cite`") for item in self.items(mapping.get("cite"))]
        return DraftRule(
            name=name.text,
            span=name.span,
            when=when,
            joins=joins,
            lets=lets,
            condition=condition,
            then=then,
            ladder=ladder,
            voids=voids,
            starts=starts,
            ends=ends,
            title=self.titles(mapping.get("title"), "`title`"),
            cite=", ".join(part.text for part in cites if part is not None),
            note=self.titles(mapping.get("note"), "`note`"),
            broken=frozenset(broken),
        )

    def part(self, broken: set[str], key: str, job: Callable[[], _Part]) -> _Part:
        """A part of a rule; where a problem is met in it, its key is added to the broken ones."""
        before = self.refusals
        found = job()
        if self.refusals != before:
            broken.add(key)
        return found

    def rule_head(self, mapping: Mapping, name: Scalar, label: str) -> None:
        """See that a rule has a name, and the keys that it needs."""
        is_name = len(name.text) <= 80 and name.text.replace("-", "_").isidentifier()
        if not self.is_refused(name) and not is_name:
            hint = "use letters, digits, `-` and `_`, at most 80 of them; the first is no digit"
            self.problem("name", f"{quoted(name.text)} is no name for a rule", name.span, hint)
        meant = self.keys(mapping, RULE_KEYS, label)
        if mapping.get("when") is None and "when" not in meant:
            hint = "name the kind of fact that triggers it"
            self.problem("missing-key", f"{label} does not say `when`", name.span, hint)
        outcomes = [key for key in OUTCOMES if mapping.get(key) is not None]
        if len(outcomes) > 1 or not (outcomes or meant.intersection(OUTCOMES)):
            found = listing(outcomes) if outcomes else "none of them"
            message = f"{label} must have one of {listing(OUTCOMES)}; it has {found}"
            self.problem("missing-key", message, name.span)

    def when(self, node: Node | None) -> Written | None:
        """The kinds that trigger the rule."""
        if isinstance(node, Sequence):
            self.problem("shape", "`when` must be one kind, or several with `or`", node.span, "write `a or b`")
            return None
        return self.written(node, "`when`", "kinds")

    def joins(self, node: Node | None, span: Span) -> tuple[tuple[Scalar, Written | None], ...]:
        """The aliases of `with`, each with its selection."""
        found = []
        pairs = self.mapping(node, "`with`") or ()
        for alias, selection in self.at_most(pairs, MOST_JOINS, "`with`", span):
            written = self.written(selection, f"`{shorten(alias.text, 40)}` of `with`", "selection")
            if self.name(alias, "an alias") is not None:
                found.append((alias, written))
        return tuple(found)

    def voids(self, node: Node | None, span: Span) -> tuple[Written, ...]:
        """The selections of `void`."""
        entries = self.entries(node, "`void`", span)
        found = [self.written(item, "`void`", "selection") for item in entries]
        return tuple(target for target in found if target is not None)

    def entries(self, node: Node | None, what: str, span: Span) -> tuple[Node, ...]:
        """The entries of a list that may not be empty, or the one that stands for it."""
        if isinstance(node, Sequence) and not node.items:
            self.problem("shape", f"{what} names nothing", node.span)
        return self.at_most(self.items(node), MOST_ENTRIES, what, span)

    def lets(self, node: Node | None, span: Span) -> tuple[DraftLet, ...]:
        """The names under `let`."""
        pairs = self.mapping(node, "`let`") or ()
        found = [self.let(name, value) for name, value in self.at_most(pairs, MOST_LETS, "`let`", span)]
        return tuple(let for let in found if let is not None)

    def let(self, name: Scalar, node: Node) -> DraftLet | None:
        """One `let`: an expression, or branches."""
        if self.name(name, "a `let`") is None:
            return None
        if not isinstance(node, Sequence):
            value = self.written(node, f"the value of `{name.text}`")
            return DraftLet(name.text, () if value is None else ((None, value),), True, name.span)
        before = self.refusals
        if not node.items:
            self.problem("shape", f"`{name.text}` has no branches", node.span)
        items = self.at_most(node.items, MOST_BRANCHES, f"the branches of `{name.text}`", name.span)
        found = [self.branch(item, name.text, place == len(items) - 1) for place, item in enumerate(items)]
        branches = tuple(branch for branch in found if branch is not None)
        return DraftLet(name.text, branches if self.refusals == before else (), False, name.span)

    def branch(self, item: Node, name: str, is_last: bool) -> tuple[Written | None, Written] | None:
        """One branch of a `let`."""
        mapping = self.mapping(item, f"a branch of `{name}`")
        if mapping is None:
            return None
        meant = self.keys(mapping, ("if", "value"), f"a branch of `{name}`")
        condition = self.written(mapping.get("if"), "`if`")
        value = self.written(mapping.get("value"), "`value`")
        if mapping.get("value") is None and "value" not in meant:
            self.problem("missing-key", f"a branch of `{name}` does not say `value`", mapping.span)
        if mapping.get("if") is None and not is_last and "if" not in meant:
            self.problem("missing-key", f"only the last branch of `{name}` may lack `if`", mapping.span)
        return None if value is None else (condition, value)

    def derivations(self, node: Node | None, what: str, span: Span) -> tuple[DraftDerivation, ...]:
        """The entries of a `then`, or of a step of a ladder."""
        found: list[DraftDerivation] = []
        for item in self.entries(node, what, span):
            if not isinstance(item, Mapping):
                kind_name = self.scalar(item, what)
                if kind_name is not None:
                    found.append(DraftDerivation(kind_name, (), None))
            elif len(item.pairs) == 1:
                found.append(self.derivation(*item.pairs[0]))
            elif not (item.partial or any(self.is_refused(value) for _, value in item)):
                hint = "write several as a list" if item.pairs else "write `KIND: {FIELD: expression}`"
                self.problem("shape", f"an entry of {what} names one kind", item.span, hint)
        return tuple(found)

    def derivation(self, kind: Scalar, node: Node) -> DraftDerivation:
        """One kind with its fields."""
        fields: list[tuple[Scalar, Written | None]] = []
        at = None
        self.is_refused(kind)
        mapping = self.mapping(node, f"the fields of `{shorten(kind.text, 40)}`")
        partial = mapping is None or mapping.partial
        for name, value in mapping or ():
            written = self.written(value, f"the field `{shorten(name.text, 40)}`")
            if name.text == "at":
                at = written
            elif self.is_refused(name):
                partial = True
            else:
                fields.append((name, written))
        return DraftDerivation(kind, tuple(fields), at, partial)

    def ladder(self, node: Node | None, label: str, span: Span) -> DraftLadder | None:
        """The ladder: what it counts, and its steps."""
        mapping = self.mapping(node, f"the ladder of {label}")
        if mapping is None:
            return None
        meant = self.keys(mapping, ("of", "steps"), f"the ladder of {label}")
        for key in ("of", "steps"):
            if mapping.get(key) is None and key not in meant:
                self.problem("missing-key", f"the ladder of {label} does not say `{key}`", span)
        steps = self.mapping(mapping.get("steps"), "`steps`")
        if steps is not None and not steps.pairs:
            self.problem("missing-key", f"the ladder of {label} has no steps", steps.span)
        found = []
        for threshold, what in self.at_most(steps or (), MOST_STEPS, f"the steps of the ladder of {label}", span):
            self.is_refused(threshold)
            found.append((threshold, self.derivations(what, f"the step {quoted(threshold.text)}", span)))
        return DraftLadder(self.written(mapping.get("of"), "`of`"), tuple(found), mapping.span)
