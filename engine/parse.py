"""The second gate: nodes to a draft, the parts of a ruleset as written, names still names.

A draft is made file by file; `merge` follows `extends` and `include` and makes one draft of all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .expressions import Written, check_name
from .expressions import parse as parse_expression
from .facts import Titles
from .problems import Problem, Source, Span, listing, nearest, shorten
from .read import Mapping, Node, Scalar, Sequence, read

MOST_STEPS = 1_000
MOST_RULES = 1_000
MOST_LETS = 60


@dataclass(frozen=True, slots=True)
class DraftField:
    """A field as written: its name and the text of its type."""

    name: str
    text: Scalar
    span: Span
    title: Titles = ()


@dataclass(frozen=True, slots=True)
class DraftKind:
    """A kind as written."""

    name: str
    fields: tuple[DraftField, ...]
    given: bool
    effect: Scalar | None
    severity: Scalar | None
    ends: Written | None
    title: Titles
    span: Span


@dataclass(frozen=True, slots=True)
class DraftEnum:
    """An enum as written."""

    name: str
    members: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DraftParameter:
    """A parameter as written: one literal, or literals by date."""

    name: str
    value: Scalar | None
    dated: tuple[tuple[Scalar, Scalar], ...]
    title: Titles
    span: Span


@dataclass(frozen=True, slots=True)
class DraftDerivation:
    """One entry of `then` as written."""

    kind: Scalar
    fields: tuple[tuple[Scalar, Written], ...]
    at: Written | None


@dataclass(frozen=True, slots=True)
class DraftLet:
    """A `let` as written: branches of condition and value."""

    name: str
    branches: tuple[tuple[Written | None, Written], ...]
    single: bool
    span: Span


@dataclass(frozen=True, slots=True)
class DraftLadder:
    """A ladder as written."""

    of: Written | None
    steps: tuple[tuple[Scalar, tuple[DraftDerivation, ...]], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DraftRule:
    """A rule as written."""

    name: str
    span: Span
    when: Written | None
    joins: tuple[tuple[Scalar, Written], ...]
    lets: tuple[DraftLet, ...]
    condition: Written | None
    then: tuple[DraftDerivation, ...]
    ladder: DraftLadder | None
    voids: tuple[Written, ...]
    starts: Scalar | None
    ends: Scalar | None
    title: Titles
    cite: str
    note: Titles


@dataclass(slots=True)
class Draft:
    """A ruleset or vocabulary as written. `settings` holds its plain keys (`subject`, `timezone` …) as scalars."""

    source: Source
    span: Span
    settings: dict[str, Scalar] = field(default_factory=dict)
    title: Titles = ()
    note: Titles = ()
    includes: tuple[Scalar, ...] = ()
    enums: dict[str, DraftEnum] = field(default_factory=dict)
    kinds: dict[str, DraftKind] = field(default_factory=dict)
    parameters: dict[str, DraftParameter] = field(default_factory=dict)
    rules: dict[str, DraftRule] = field(default_factory=dict)
    removed: dict[str, Span] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


SETTINGS = ("version", "vocabulary", "subject", "timezone", "calendar", "terminal", "extends")
RULESET_KEYS = ("ruleset", *SETTINGS, "title", "note", "cite", "include", "enums", "facts", "parameters", "rules")
VOCABULARY_KEYS = ("vocabulary", "version", "title", "note", "enums", "facts")
KIND_KEYS = ("title", "note", "input", "effect", "severity", "ends", "fields")
RULE_KEYS = (
    *("title", "cite", "note", "when", "with", "let", "if", "then", "ladder", "void", "from", "until"),
)


class _Parser:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.problems = draft.problems

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.problems.append(Problem(code, message, span, hint))

    # Shapes of nodes.

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        if node is None or isinstance(node, Mapping):
            return node
        if isinstance(node, Scalar) and node.is_null:
            return Mapping((), node.span)
        self.problem("shape", f"{what} must be a mapping of keys and values", node.span)
        return None

    def scalar(self, node: Node | None, what: str) -> Scalar | None:
        if node is None:
            return None
        if isinstance(node, Scalar) and not node.is_null:
            return node
        message = f"{what} must be one word or expression"
        hint = "quote it, or write it on one line" if isinstance(node, Mapping | Sequence) else "write a value"
        self.problem("shape", message, node.span, hint)
        return None

    def items(self, node: Node | None) -> tuple[Node, ...]:
        if node is None:
            return ()
        return node.items if isinstance(node, Sequence) else (node,)

    def keys(self, mapping: Mapping, known: Iterable[str], what: str) -> None:
        for key, _ in mapping:
            if key.text not in known:
                hint = nearest(key.text, known) or f"known are {listing(known, 20)}"
                self.problem("unknown-key", f"unknown key `{shorten(key.text, 40)}` in {what}", key.span, hint)

    def titles(self, node: Node | None, what: str) -> Titles:
        if node is None:
            return ()
        if isinstance(node, Scalar):
            return (("en", node.text),) if not node.is_null else ()
        mapping = self.mapping(node, what)
        if mapping is None:
            return ()
        self.keys(mapping, ("zh", "en"), what)
        found = []
        for key, value in mapping:
            scalar = self.scalar(value, f"the {key.text} text of {what}")
            if scalar is not None and key.text in ("zh", "en"):
                found.append((key.text, scalar.text))
        return tuple(found)

    def written(self, node: Node | None, what: str, start: str = "expression") -> Written | None:
        scalar = self.scalar(node, what)
        return None if scalar is None else parse_expression(scalar, start, self.problems)

    # Parts of a ruleset.

    def ruleset(self, root: Node, key: str) -> None:
        mapping = self.mapping(root, f"a {key}")
        if mapping is None:
            return
        draft = self.draft
        draft.span = mapping.pairs[0][0].span if mapping.pairs else mapping.span
        known = RULESET_KEYS if key == "ruleset" else VOCABULARY_KEYS
        self.keys(mapping, known, f"a {key}")
        if mapping.get(key) is None:
            self.problem("missing-key", f"the file does not say `{key}: NAME`", draft.span)
        for name in ("ruleset", *SETTINGS):
            scalar = self.scalar(mapping.get(name), f"`{name}`") if name in known else None
            if scalar is not None:
                draft.settings[name] = scalar
        draft.title = self.titles(mapping.get("title"), "`title`")
        draft.note = self.titles(mapping.get("note"), "`note`")
        if key == "ruleset":
            includes = [self.scalar(item, "a name under `include`") for item in self.items(mapping.get("include"))]
            draft.includes = tuple(name for name in includes if name is not None)
        for name, node in self.mapping(mapping.get("enums"), "`enums`") or ():
            self.enum(name, node)
        for name, node in self.mapping(mapping.get("facts"), "`facts`") or ():
            self.kind(name, node)
        for name, node in self.mapping(mapping.get("parameters"), "`parameters`") or ():
            self.parameter(name, node)
        rules = self.mapping(mapping.get("rules"), "`rules`")
        for name, node in rules or ():
            if len(draft.rules) >= MOST_RULES:
                self.problem("too-large", f"a ruleset has at most {MOST_RULES:,} rules", name.span)
                break
            if isinstance(node, Scalar) and node.is_null:
                draft.removed[name.text] = name.span
            else:
                self.rule(name, node)

    def enum(self, name: Scalar, node: Node) -> None:
        if check_name(name, "an enum", self.problems) is None:
            return
        members: list[str] = []
        if not isinstance(node, Sequence) or not node.items:
            self.problem("shape", f"the enum `{name.text}` must be a list of its members", node.span)
            return
        for item in node:
            scalar = self.scalar(item, "a member")
            member = check_name(scalar, "a member", self.problems) if scalar is not None else None
            if member in members:
                self.problem("duplicate-key", f"the member `{member}` stands here a second time", item.span)
            elif member is not None:
                members.append(member)
        if len(members) > 10_000:
            self.problem("too-large", "an enum has at most 10,000 members", name.span)
        self.draft.enums[name.text] = DraftEnum(name.text, tuple(members), name.span)

    def kind(self, name: Scalar, node: Node) -> None:
        mapping = self.mapping(node, f"the kind `{shorten(name.text, 40)}`")
        if check_name(name, "a kind", self.problems) is None or mapping is None:
            return
        self.keys(mapping, KIND_KEYS, f"the kind `{name.text}`")
        fields = []
        for field_name, text in self.mapping(mapping.get("fields"), "`fields`") or ():
            title: Titles = ()
            if isinstance(text, Mapping):
                self.keys(text, ("type", "title"), f"the field `{shorten(field_name.text, 40)}`")
                title = self.titles(text.get("title"), "`title`")
                type_text = self.scalar(text.get("type"), "the type of a field")
            else:
                type_text = self.scalar(text, "the type of a field")
            if check_name(field_name, "a field", self.problems) is not None and type_text is not None:
                fields.append(DraftField(field_name.text, type_text, field_name.span, title))
        given = self.scalar(mapping.get("input"), "`input`")
        if given is not None and given.text not in ("true", "false"):
            self.problem("type", f"`input` must be `true` or `false`, not `{shorten(given.text, 40)}`", given.span)
        self.draft.kinds[name.text] = DraftKind(
            name=name.text,
            fields=tuple(fields),
            given=given is not None and given.text == "true",
            effect=self.scalar(mapping.get("effect"), "`effect`"),
            severity=self.scalar(mapping.get("severity"), "`severity`"),
            ends=self.written(mapping.get("ends"), "`ends`", "selection"),
            title=self.titles(mapping.get("title"), "`title`"),
            span=name.span,
        )

    def parameter(self, name: Scalar, node: Node) -> None:
        if check_name(name, "a parameter", self.problems) is None:
            return
        value: Scalar | None = None
        dated: list[tuple[Scalar, Scalar]] = []
        title: Titles = ()
        if isinstance(node, Mapping):
            self.keys(node, ("value", "values", "title", "note", "cite"), f"the parameter `{name.text}`")
            title = self.titles(node.get("title"), "`title`")
            value = self.scalar(node.get("value"), f"the value of `{name.text}`")
            if (node.get("value") is None) == (node.get("values") is None):
                message = f"the parameter `{name.text}` needs either `value` or `values`"
                self.problem("missing-key", message, name.span)
                return
            values = self.mapping(node.get("values"), f"the values of `{name.text}`")
            for date, dated_value in values or ():
                scalar = self.scalar(dated_value, f"a value of `{name.text}`")
                if scalar is not None:
                    dated.append((date, scalar))
            if values is not None and not values.pairs:
                self.problem("missing-key", f"the parameter `{name.text}` has no values", values.span)
        else:
            value = self.scalar(node, f"the value of `{name.text}`")
        if value is not None or dated:
            parameter = DraftParameter(name.text, value, tuple(dated), title, name.span)
            self.draft.parameters[name.text] = parameter

    def rule(self, name: Scalar, node: Node) -> None:
        mapping = self.mapping(node, f"the rule `{shorten(name.text, 40)}`")
        if mapping is None:
            return
        label = f"the rule `{shorten(name.text, 40)}`"
        if len(name.text) > 80 or not name.text.replace("-", "_").isidentifier():
            self.problem("name", f"`{shorten(name.text, 40)}` is no name for a rule", name.span, "use letters, digits, `-` and `_`")
        self.keys(mapping, RULE_KEYS, label)
        outcomes = [key for key in ("then", "ladder", "void") if mapping.get(key) is not None]
        if mapping.get("when") is None:
            self.problem("missing-key", f"{label} does not say `when`", name.span, "name the kind of fact that triggers it")
        if len(outcomes) != 1:
            found = listing(outcomes) if outcomes else "none of them"
            self.problem("missing-key", f"{label} must have one of `then`, `ladder`, `void`; it has {found}", name.span)
        joins = []
        for alias, selection in self.mapping(mapping.get("with"), "`with`") or ():
            written = self.written(selection, f"`{alias.text}` of `with`", "selection")
            if check_name(alias, "an alias", self.problems) is not None and written is not None:
                joins.append((alias, written))
        lets = [self.let(key, value) for key, value in self.mapping(mapping.get("let"), "`let`") or ()]
        if len(lets) > MOST_LETS:
            self.problem("too-large", f"a rule has at most {MOST_LETS} names under `let`", name.span)
        voids = [self.written(item, "`void`", "selection") for item in self.items(mapping.get("void"))]
        cite = self.scalar(mapping.get("cite"), "`cite`") if not isinstance(mapping.get("cite"), Sequence) else None
        cites = [self.scalar(item, "`cite`") for item in self.items(mapping.get("cite"))] if cite is None else [cite]
        self.draft.rules[name.text] = DraftRule(
            name=name.text,
            span=name.span,
            when=self.written(mapping.get("when"), "`when`", "kinds"),
            joins=tuple(joins),
            lets=tuple(let for let in lets if let is not None),
            condition=self.written(mapping.get("if"), "`if`"),
            then=self.derivations(mapping.get("then")),
            ladder=self.ladder(mapping.get("ladder"), label),
            voids=tuple(target for target in voids if target is not None),
            starts=self.scalar(mapping.get("from"), "`from`"),
            ends=self.scalar(mapping.get("until"), "`until`"),
            title=self.titles(mapping.get("title"), "`title`"),
            cite=", ".join(part.text for part in cites if part is not None),
            note=self.titles(mapping.get("note"), "`note`"),
        )

    def let(self, name: Scalar, node: Node) -> DraftLet | None:
        if check_name(name, "a `let`", self.problems) is None:
            return None
        if not isinstance(node, Sequence):
            value = self.written(node, f"the value of `{name.text}`")
            return None if value is None else DraftLet(name.text, ((None, value),), True, name.span)
        branches: list[tuple[Written | None, Written]] = []
        for place, item in enumerate(node):
            mapping = self.mapping(item, f"a branch of `{name.text}`")
            if mapping is None:
                continue
            self.keys(mapping, ("if", "value"), f"a branch of `{name.text}`")
            condition = self.written(mapping.get("if"), "`if`")
            value = self.written(mapping.get("value"), "`value`")
            if mapping.get("value") is None:
                self.problem("missing-key", f"a branch of `{name.text}` does not say `value`", mapping.span)
            if mapping.get("if") is None and place < len(node.items) - 1:
                self.problem("missing-key", f"only the last branch of `{name.text}` may lack `if`", mapping.span)
            if value is not None:
                branches.append((condition, value))
        if len(branches) > 200:
            self.problem("too-large", f"`{name.text}` has more than 200 branches", name.span)
            return None
        return DraftLet(name.text, tuple(branches), False, name.span) if branches else None

    def derivations(self, node: Node | None) -> tuple[DraftDerivation, ...]:
        found = []
        for item in self.items(node):
            if isinstance(item, Mapping):
                if len(item.pairs) != 1:
                    self.problem("shape", "an entry of `then` names one kind", item.span, "write several as a list")
                for kind, fields in item:
                    found.append(self.derivation(kind, fields))
            else:
                kind_name = self.scalar(item, "`then`")
                if kind_name is not None:
                    found.append(DraftDerivation(kind_name, (), None))
        return tuple(found)

    def derivation(self, kind: Scalar, node: Node) -> DraftDerivation:
        fields = []
        at = None
        for name, value in self.mapping(node, f"the fields of `{shorten(kind.text, 40)}`") or ():
            written = self.written(value, f"the field `{shorten(name.text, 40)}`")
            if written is None:
                continue
            if name.text == "at":
                at = written
            else:
                fields.append((name, written))
        return DraftDerivation(kind, tuple(fields), at)

    def ladder(self, node: Node | None, label: str) -> DraftLadder | None:
        mapping = self.mapping(node, f"the ladder of {label}")
        if mapping is None:
            return None
        self.keys(mapping, ("of", "steps"), f"the ladder of {label}")
        for key in ("of", "steps"):
            if mapping.get(key) is None:
                self.problem("missing-key", f"the ladder of {label} does not say `{key}`", mapping.span)
        steps = self.mapping(mapping.get("steps"), "`steps`")
        if steps is not None and not steps.pairs:
            self.problem("missing-key", f"the ladder of {label} has no steps", steps.span)
        if steps is not None and len(steps.pairs) > MOST_STEPS:
            message = f"a ladder has at most {MOST_STEPS:,} steps; this one has {len(steps.pairs):,}"
            self.problem("too-large", message, mapping.span)
            steps = None
        found = tuple((threshold, self.derivations(what)) for threshold, what in steps or ())
        return DraftLadder(self.written(mapping.get("of"), "`of`"), found, mapping.span)


def parse(source: Source, key: str = "ruleset") -> Draft:
    """Parse one file.

    Parameters
    ----------
    source : Source
        The text and its name.
    key : str
        `ruleset` or `vocabulary`: what the file declares.

    Returns
    -------
    Draft
        The parts as written, with the problems found so far.

    Raises
    ------
    RulesetError
        Where the text is no YAML at all, or too large or too deep.
    """
    root, problems = read(source)
    draft = Draft(source, root.span, problems=problems, sources=[source])
    _Parser(draft).ruleset(root, key)
    return draft
