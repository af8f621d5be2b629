"""The first gate: YAML text to nodes that know their place. Nothing else in the project reads YAML.

Scalars stay text: no boolean, number or date is guessed. What YAML could read as something else, aliases, merge keys,
tags, duplicate keys, expressions cut by a comma, and texts too large or too deep are problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from .problems import Problem, RulesetError, Source, Span, shorten

MOST_CHARACTERS = 400_000
MOST_DEPTH = 32
MOST_NODES = 100_000

_SURPRISE = re.compile(
    r"(?P<boolean>yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|True|TRUE|False|FALSE)"
    r"|(?P<sixty>[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?)|(?P<octal>[-+]?0[0-7_]+|0o[0-7]+|0x[0-9a-fA-F_]+)"
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar: its text, whether it was quoted (or a block), and where it stands."""

    text: str
    quoted: bool
    span: Span

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null: nothing, `~` or `null`, unquoted."""
        return not self.quoted and self.text in ("", "~", "null")

    def within(self, start: int, end: int) -> Span:
        """The span in the source of the characters from `start` to `end` of the text."""
        raw = self.span.text
        if raw[start:end] == self.text[start:end] and len(raw) == len(self.text):
            return Span(self.span.source, self.span.start + start, self.span.start + end)
        places = _places(raw, self.text)
        first = places[min(start, len(places) - 1)]
        last = places[min(max(end - 1, start), len(places) - 1)] + 1
        return Span(self.span.source, self.span.start + first, self.span.start + max(last, first))


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping: its pairs in order, keys unique and scalar."""

    pairs: tuple[tuple[Scalar, Node], ...]
    span: Span

    def get(self, key: str) -> Node | None:
        """The node under a key."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """The key itself, with its place."""
        return next((name for name, _ in self.pairs if name.text == key), None)

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self.pairs)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of nodes."""

    items: tuple[Node, ...]
    span: Span

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


Node = Scalar | Mapping | Sequence


def _places(raw: str, text: str) -> list[int]:
    """For each character of a scalar's text the offset of it in what was written (folding and escapes passed over)."""
    places = []
    at = 0
    for character in text:
        if character.isspace():
            places.append(min(at, max(len(raw) - 1, 0)))
            while at < len(raw) and raw[at].isspace():
                at += 1
            continue
        found = raw.find(character, at)
        if found >= 0:
            at = found
        places.append(min(at, max(len(raw) - 1, 0)))
        at += 1
    return places or [0]


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    start: int
    flow: bool
    mapping: bool
    children: list[Node] = field(default_factory=list)


class _Reader:
    """Builds nodes from the event stream, without recursion, and collects problems."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def problem(self, code: str, message: str, start: int, end: int, hint: str = "") -> None:
        self.problems.append(Problem(code, message, Span(self.source, start, max(end, start)), hint))

    def stop(self, code: str, message: str, start: int, end: int, hint: str = "") -> RulesetError:
        self.problem(code, message, start, end, hint)
        return RulesetError(self.problems)

    def document(self) -> Node:
        text = self.source.text
        if len(text) > MOST_CHARACTERS:
            raise self.stop(
                "too-large",
                f"the file has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read",
                0,
                0,
                "split the ruleset with `include:`",
            )
        try:
            root = self._events()
        except yaml.reader.ReaderError as error:
            at = error.position if isinstance(error.position, int) else 0
            raise self.stop(
                "not-text", f"the character U+{ord(text[at]):04X} may not stand in YAML", at, at + 1
            ) from None
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from None
        if root is None:
            raise self.stop("empty", "the file holds nothing", 0, 0)
        return root

    def _syntax(self, error: yaml.MarkedYAMLError) -> RulesetError:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(self.source.text)) if mark else 0
        message = (error.problem or error.context or "not YAML").rstrip(".")
        line_start = self.source.text.rfind("\n", 0, at) + 1
        before = self.source.text[line_start:at]
        hint = ""
        if "flow" in (error.context or "") or "{" in before or "[" in before:
            hint = "inside `{ }` quote an expression that has a comma, a bracket or a colon, or write it below"
        elif "\t" in self.source.text[line_start : at + 1]:
            hint = "indent with spaces, not with tabs"
        elif "mapping values are not allowed" in message:
            hint = "quote a text that has `: ` in it, or look at the indentation"
        context = f"{error.context}: " if error.context and error.problem else ""
        return self.stop("yaml", f"not YAML: {context}{message}", at, at + 1, hint)

    def _events(self) -> Node | None:
        stack: list[_Open] = []
        root: Node | None = None
        nodes = documents = 0
        for event in yaml.parse(self.source.text, Loader=yaml.SafeLoader):
            start, end = event.start_mark.index, event.end_mark.index
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.stop("documents", "a second document in one file", start, end, "remove `---`")
                continue
            if isinstance(event, yaml.AliasEvent):
                raise self.stop("alias", f"aliases (`*{event.anchor}`) are refused", start, end, "write the value out")
            if isinstance(event, yaml.NodeEvent):
                nodes += 1
                if nodes > MOST_NODES:
                    raise self.stop("too-large", f"more than {MOST_NODES:,} nodes", start, start + 1)
                if event.anchor is not None:
                    self.problem("anchor", f"anchors (`&{event.anchor}`) are refused", start, end, "write the value out")
            node: Node | None = None
            if isinstance(event, yaml.ScalarEvent):
                if event.tag is not None:
                    self.problem("tag", f"tags (`{shorten(event.tag, 40)}`) are refused", start, end, "remove it")
                node = Scalar(event.value, event.style is not None, Span(self.source, start, end))
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                if event.tag is not None:
                    self.problem("tag", f"tags (`{shorten(event.tag, 40)}`) are refused", start, end, "remove it")
                if len(stack) >= MOST_DEPTH:
                    raise self.stop("too-deep", f"nested deeper than {MOST_DEPTH} levels", start, start + 1)
                stack.append(_Open(start, bool(event.flow_style), isinstance(event, yaml.MappingStartEvent)))
                continue
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                node = self._close(stack.pop(), end)
            if node is not None:
                if stack:
                    stack[-1].children.append(node)
                else:
                    root = node
        return root

    def _close(self, opened: _Open, end: int) -> Node:
        span = Span(self.source, opened.start, end)
        if not opened.mapping:
            return Sequence(tuple(opened.children), span)
        pairs: list[tuple[Scalar, Node]] = []
        seen: dict[str, Scalar] = {}
        children = iter(opened.children)
        cut = 0
        for key, value in zip(children, children, strict=True):
            if cut and isinstance(key, Scalar) and isinstance(value, Scalar) and value.is_null:
                cut += _open_brackets(key.text)
                continue
            if not isinstance(key, Scalar):
                self.problem("key", "a key must be a word", key.span.start, key.span.end)
                continue
            if key.text == "<<":
                self.problem("merge", "merge keys (`<<`) are refused", key.span.start, key.span.end, "write the keys out")
                continue
            self._surprise(key)
            if opened.flow and isinstance(value, Scalar) and not value.quoted and value.text == "":
                self.problem(
                    "comma",
                    f"inside `{{ }}` a comma ends what stands before `{shorten(key.text, 40)}`",
                    key.span.start,
                    key.span.end,
                    "quote the whole, or write it below instead of inside `{ }`",
                )
                continue
            if key.text in seen:
                other = seen[key.text]
                self.problems.append(
                    Problem(
                        "duplicate-key",
                        f"the key `{shorten(key.text, 40)}` stands here a second time",
                        key.span,
                        related=(("first here", other.span),),
                    )
                )
                continue
            seen[key.text] = key
            cut = 0
            if opened.flow and isinstance(value, Scalar) and not value.quoted:
                cut = _open_brackets(value.text)
                if cut > 0:
                    self.problem(
                        "comma",
                        f"inside `{{ }}` a comma ends the expression `{shorten(value.text, 40)}`",
                        value.span.start,
                        value.span.end,
                        "quote the expression, or write it below instead of inside `{ }`",
                    )
            if isinstance(value, Scalar):
                self._surprise(value)
            pairs.append((key, value))
        return Mapping(tuple(pairs), span)

    def _surprise(self, scalar: Scalar) -> None:
        if scalar.quoted:
            return
        found = _SURPRISE.fullmatch(scalar.text)
        if found is None:
            return
        if found["boolean"]:
            truth = "true" if scalar.text.lower() in ("yes", "on", "true") else "false"
            meaning, hint = "a boolean", f'write `{truth}`, or quote it: `"{scalar.text}"`'
        elif found["sixty"]:
            meaning, hint = "a number to base 60", f'quote it: `"{scalar.text}"`'
        else:
            meaning, hint = "a number to another base", "write it without the leading zero, or quote it"
        self.problem(
            "yaml-1.1", f"YAML 1.1 reads `{shorten(scalar.text, 40)}` as {meaning}", scalar.span.start, scalar.span.end, hint
        )


def _open_brackets(text: str) -> int:
    plain = re.sub(r'"(\\.|[^"\\])*"', "", text)
    return plain.count("(") + plain.count("[") - plain.count(")") - plain.count("]")


def read(source: Source) -> tuple[Node, list[Problem]]:
    """Read a YAML text into nodes.

    Parameters
    ----------
    source : Source
        The text and its name.

    Returns
    -------
    tuple of Node and list of Problem
        The root, and what is wrong with the text but does not hide the rest.

    Raises
    ------
    RulesetError
        Where the text is no YAML at all, holds an alias, is too large or too deep.

    Examples
    --------
    >>> node, problems = read(Source("example", "a: {b: yes}"))
    >>> [problem.code for problem in problems]
    ['yaml-1.1']
    """
    reader = _Reader(source)
    root = reader.document()
    return root, reader.problems
