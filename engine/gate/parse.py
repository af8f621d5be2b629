"""The second gate: nodes to a draft, the parts of a ruleset as written, names still names.

A draft is made file by file; `merge` follows `extends` and `include` and makes one draft of all.
"""

from __future__ import annotations

from ..facts import Titles
from ..ground.problems import Source, shorten
from .draft import EVERY, Draft, DraftEnum, DraftField, DraftKind, DraftParameter
from .nodes import Mapping, Node, Scalar, Sequence
from .parse_rules import MOST_STEPS, RULE_KEYS, RuleParser
from .read import read
from .shapes import Shapes

__all__ = [
    "KIND_KEYS",
    "MOST_STEPS",
    "PARAMETER_KEYS",
    "RULESET_KEYS",
    "RULE_KEYS",
    "VOCABULARY_KEYS",
    "Draft",
    "parse",
]

MOST_KINDS = 1_000
MOST_FIELDS = 200
MOST_ENUMS = 1_000
MOST_MEMBERS = 10_000
MOST_PARAMETERS = 1_000
MOST_DATES = 1_000
MOST_RULES = 1_000

SETTINGS = ("version", "vocabulary", "subject", "timezone", "calendar", "terminal", "extends")
RULESET_KEYS = ("ruleset", *SETTINGS, "title", "note", "cite", "include", "enums", "facts", "parameters", "rules")
VOCABULARY_KEYS = ("vocabulary", "version", "title", "note", "enums", "facts")
KIND_KEYS = ("title", "note", "input", "effect", "severity", "ends", "fields")
PARAMETER_KEYS = ("value", "values", "title", "note", "cite")
SECTIONS = {"enums": "enum", "facts": "kind", "parameters": "parameter", "rules": "rule"}
FOUNDATIONS = ("vocabulary", "extends", "include")
"""Keys that name other files; where one of them is wrong nearly everything else would seem wrong too."""


class _Parser(Shapes):
    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.problems)
        self.draft = draft

    # Parts of a ruleset.

    def ruleset(self, root: Node, key: str) -> None:
        mapping = self.mapping(root, f"a {key}")
        draft = self.draft
        if mapping is None:
            draft.unusable = True
            return
        draft.span = mapping.pairs[0][0].span if mapping.pairs else mapping.span
        if self.is_of_another_sort(mapping, key):
            draft.unusable = True
            return
        meant = self.keys(mapping, RULESET_KEYS if key == "ruleset" else VOCABULARY_KEYS, f"a {key}")
        if mapping.get(key) is None and key not in meant:
            self.problem("missing-key", f"the file does not say `{key}: NAME`", draft.span)
        draft.unusable = bool(meant.intersection(FOUNDATIONS))
        draft.broken.update(("setting", name) for name in meant.intersection(SETTINGS))
        draft.broken.update((SECTIONS[name], EVERY) for name in meant.intersection(SECTIONS))
        self.settings(mapping, key)
        draft.title = self.titles(mapping.get("title"), "`title`")
        draft.note = self.titles(mapping.get("note"), "`note`")
        for name, node in self.section(mapping, "enums", MOST_ENUMS):
            self.enum(name, node)
        for name, node in self.section(mapping, "facts", MOST_KINDS):
            self.kind(name, node)
        if key == "vocabulary":
            return
        for name, node in self.section(mapping, "parameters", MOST_PARAMETERS):
            self.parameter(name, node)
        for name, node in self.section(mapping, "rules", MOST_RULES):
            if isinstance(node, Scalar) and node.is_null:
                draft.removed[name.text] = name.span
            else:
                self.rule(name, node)

    def is_of_another_sort(self, mapping: Mapping, key: str) -> bool:
        """Whether a ruleset stands where a vocabulary should, or the reverse; a problem if so."""
        other = "vocabulary" if key == "ruleset" else "ruleset"
        found = mapping.key(other)
        only_rulesets = {"rules", "parameters", "subject", "timezone", "extends", "include"}
        if mapping.get(key) is not None or found is None:
            return False
        if key == "ruleset" and only_rulesets.intersection(name.text for name, _ in mapping):
            return False
        hint = f"a {other} is {'extended or included' if other == 'ruleset' else 'named under `vocabulary:`'}"
        self.problem("missing-key", f"this file is a {other}, not a {key}", found.span, hint)
        return True

    def settings(self, mapping: Mapping, key: str) -> None:
        """The plain keys, and the files that the ruleset names."""
        draft = self.draft
        name = self.scalar(mapping.get(key), f"`{key}`")
        if name is not None:
            self.bare_name(name, key)
        if key == "vocabulary":
            return
        for setting in ("ruleset", *SETTINGS):
            node = mapping.get(setting)
            scalar = name if setting == "ruleset" else self.scalar(node, f"`{setting}`")
            if scalar is not None:
                draft.settings[setting] = scalar
            elif node is not None:
                draft.broken.add(("setting", setting))
                draft.unusable |= setting in FOUNDATIONS
        before = self.refusals
        includes = [self.scalar(item, "a name under `include`") for item in self.items(mapping.get("include"))]
        draft.includes = tuple(name for name in includes if name is not None)
        draft.unusable |= self.refusals != before

    def section(self, mapping: Mapping, key: str, most: int) -> tuple[tuple[Scalar, Node], ...]:
        """The pairs of a section that declares things of one sort by name."""
        before = self.refusals
        found = self.mapping(mapping.get(key), f"`{key}`")
        head = mapping.key(key)
        pairs = self.at_most(found or (), most, f"`{key}`", head.span) if head is not None else ()
        if self.refusals != before:
            self.draft.broken.add((SECTIONS[key], EVERY))
        return pairs

    def rule(self, name: Scalar, node: Node) -> None:
        rule = RuleParser(self.problems).rule(name, node)
        if rule is None:
            self.draft.broken.add(("rule", name.text))
        else:
            self.draft.rules[name.text] = rule

    def enum(self, name: Scalar, node: Node) -> None:
        before = self.refusals
        members: dict[str, None] = {}
        if self.name(name, "an enum") is not None:
            if self.is_refused(node):
                pass
            elif not isinstance(node, Sequence) or not node.items:
                self.problem("shape", f"the enum `{name.text}` must be a list of its members", node.span)
            else:
                what = f"the members of `{name.text}`"
                for item in self.at_most(node.items, MOST_MEMBERS, what, name.span):
                    self.member(item, members)
                self.draft.enums[name.text] = DraftEnum(name.text, tuple(members), name.span)
        if self.refusals != before:
            self.draft.broken.add(("enum", name.text))

    def member(self, item: Node, members: dict[str, None]) -> None:
        scalar = self.scalar(item, "a member")
        member = self.name(scalar, "a member") if scalar is not None else None
        if member is not None and member in members:
            self.problem("duplicate-key", f"the member `{member}` stands here a second time", item.span)
        elif member is not None:
            members[member] = None

    def kind(self, name: Scalar, node: Node) -> None:
        mapping = self.mapping(node, f"the kind `{shorten(name.text, 40)}`")
        if self.name(name, "a kind") is None or mapping is None:
            self.draft.broken.add(("kind", name.text))
            return
        before = self.refusals
        self.keys(mapping, KIND_KEYS, f"the kind `{name.text}`")
        fields = self.mapping(mapping.get("fields"), f"the fields of `{name.text}`")
        pairs = self.at_most(fields or (), MOST_FIELDS, f"the fields of `{name.text}`", name.span)
        if self.refusals != before:
            self.draft.broken.add(("kind", name.text))
        found = [self.field(field_name, text) for field_name, text in pairs]
        given = self.scalar(mapping.get("input"), "`input`")
        if given is not None and given.text not in ("true", "false"):
            message = f"`input` must be `true` or `false`, not `{shorten(given.text, 40)}`"
            self.problem("type", message, given.span)
        self.titles(mapping.get("note"), "`note`")
        self.draft.kinds[name.text] = DraftKind(
            name=name.text,
            fields=tuple(field for field in found if field is not None),
            given=given is not None and given.text == "true",
            effect=self.scalar(mapping.get("effect"), "`effect`"),
            severity=self.scalar(mapping.get("severity"), "`severity`"),
            ends=self.written(mapping.get("ends"), "`ends`", "selection"),
            title=self.titles(mapping.get("title"), "`title`"),
            span=name.span,
        )

    def field(self, name: Scalar, node: Node) -> DraftField | None:
        """A field: its type alone, or a mapping of type and title."""
        label = f"the field `{shorten(name.text, 40)}`"
        title: Titles = ()
        if isinstance(node, Mapping):
            meant = self.keys(node, ("type", "title"), label)
            title = self.titles(node.get("title"), "`title`")
            if node.get("type") is None and "type" not in meant:
                self.problem("missing-key", f"{label} does not say `type`", name.span)
            text = self.scalar(node.get("type"), f"the type of {label}")
        else:
            text = self.scalar(node, f"the type of {label}")
        if self.name(name, "a field") is None or text is None:
            self.draft.broken.add(("field", name.text))
            return None
        return DraftField(name.text, text, name.span, title)

    def parameter(self, name: Scalar, node: Node) -> None:
        before = self.refusals
        if self.name(name, "a parameter") is not None:
            parameter = self.parameter_values(name, node)
            if self.refusals == before and (parameter.value is not None or parameter.dated):
                self.draft.parameters[name.text] = parameter
                return
        self.draft.broken.add(("parameter", name.text))

    def parameter_values(self, name: Scalar, node: Node) -> DraftParameter:
        label = f"the parameter `{name.text}`"
        if not isinstance(node, Mapping):
            value = self.scalar(node, f"the value of `{name.text}`")
            return DraftParameter(name.text, value, (), (), name.span)
        meant = self.keys(node, PARAMETER_KEYS, label)
        title = self.titles(node.get("title"), "`title`")
        self.titles(node.get("note"), "`note`")
        value = self.scalar(node.get("value"), f"the value of `{name.text}`")
        dated: list[tuple[Scalar, Scalar]] = []
        both = node.get("value") is not None and node.get("values") is not None
        neither = node.get("value") is None and node.get("values") is None
        if both or (neither and not meant.intersection(("value", "values"))):
            self.problem("missing-key", f"{label} needs either `value` or `values`", name.span)
        values = self.mapping(node.get("values"), f"the values of `{name.text}`")
        if values is not None and not values.pairs:
            self.problem("missing-key", f"{label} has no values", values.span)
        for date, item in self.at_most(values or (), MOST_DATES, f"the values of `{name.text}`", name.span):
            scalar = self.scalar(item, f"a value of `{name.text}`")
            if scalar is not None and not self.is_refused(date):
                dated.append((date, scalar))
        return DraftParameter(name.text, value, tuple(dated), title, name.span)


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
        Where the text is no YAML at all, or too large or too deep; or has too many problems.
    """
    root, problems = read(source)
    draft = Draft(source, root.span, problems=problems, sources=[source])
    _Parser(draft).ruleset(root, key)
    return draft
