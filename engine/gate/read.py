"""The first gate: YAML text to nodes that know their place. Nothing else in the project reads YAML.

Scalars stay text: no boolean, number or date is guessed. What YAML could read as something else, aliases, merge keys,
tags, duplicate keys, expressions cut by a comma, and texts too large or too deep are problems.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import yaml

from ..ground.problems import Problem, Problems, RulesetError, Source, Span, shorten
from .nodes import Mapping, Node, Scalar, Sequence

__all__ = ["MOST_CHARACTERS", "MOST_DEPTH", "MOST_NODES", "Mapping", "Node", "Scalar", "Sequence", "read"]

MOST_CHARACTERS = 200_000
MOST_DEPTH = 32
MOST_NODES = 20_000
MOST_PLAIN = 4_000
"""So long may an expression be; a longer text is none."""

_SURPRISE = re.compile(
    r"(?P<boolean>yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|True|TRUE|False|FALSE)"
    r"|(?P<nothing>Null|NULL)"
    r"|(?P<sixty>[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?)|(?P<other>[-+]?0[0-7_]+|0o[0-7]+|0x[0-9a-fA-F_]+|0b[01_]+)",
    re.ASCII,
)
_HIDDEN_BREAK = re.compile("[\x85\u2028\u2029]")
NO_TEXT = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that may not stand in YAML; nor do escapes bring them into a text."""

_NO_CHARACTER = re.compile(r"\\U(?!0010|000[0-9a-fA-F])[0-9a-fA-F]{8}")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_WORDS = {
    "<block end>": "the end of the block",
    "<block mapping start>": "a key",
    "<block sequence start>": "`-`",
    "<document start>": "the start of the file",
    "<stream end>": "the end of the file",
    "<scalar>": "a text",
    "<alias>": "an alias",
    "<anchor>": "an anchor",
    "<tag>": "a tag",
    "<directive>": "a directive",
    "?": "a key",
}
"""What YAML's parser names its tokens, in words."""

_CONTEXTS = {
    "while parsing a flow mapping": "inside `{ }`",
    "while parsing a flow sequence": "inside `[ ]`",
    "while parsing a flow node": "inside `{ }` or `[ ]`",
    "while parsing a block mapping": "among keys",
    "while parsing a block collection": "in a list",
    "while scanning a simple key": "in a key",
    "while scanning a quoted scalar": "in a quoted text",
    "while scanning a double-quoted scalar": "in a text in double quotes",
    "while scanning a block scalar": "in a block of text",
    "while scanning for the next token: ": "",
    "mapping values are not allowed here": "keys and values are not allowed here",
    "but found": "found",
    "but got": "found",
    "end of stream": "end of the file",
}
"""What YAML's parser says, in words."""

_QUOTE_IT = "inside `{ }` quote an expression that has a comma, a bracket or a colon, or write it below"
_SYNTAX_HINTS = (
    (r"keys and values are not", "quote a text that has `: ` in it; else a colon or the indentation above is wrong"),
    (r"could not find expected", "a key ends with `: ` on its own line; look at the indentation"),
    (r"unknown escape character", "in double quotes `\\` begins an escape; single quotes have none"),
    (r"in a quoted text", "close the quotes"),
    (r"in a block of text", "quote an expression that begins with `>` or `|`"),
    (r"cannot start any token", "quote it"),
    (r"among keys|in a list", "look at the indentation"),
)


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
        self.problems = Problems()

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> None:
        self.problems.append(Problem(code, message, span, hint))

    def stop(self, code: str, message: str, start: int, end: int, hint: str = "") -> RulesetError:
        """A problem after which nothing can be read."""
        size = len(self.source.text)
        span = Span(self.source, min(start, size), min(max(start, end), size))
        return RulesetError([*self.problems, Problem(code, message, span, hint)])

    def document(self) -> Node:
        text = self.source.text
        if len(text) > MOST_CHARACTERS:
            message = f"the file has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read"
            raise self.stop("too-large", message, 0, 0, "split the ruleset with `include:`")
        broken = _HIDDEN_BREAK.search(text)
        if broken:
            code = f"{ord(broken.group()):04X}"
            message = f"the character U+{code} ends a line in YAML and cannot be seen"
            hint = f"write `\\u{code}`, in double quotes, or leave it out"
            raise self.stop("not-text", message, broken.start(), broken.end(), hint)
        try:
            root = self._events()
        except yaml.reader.ReaderError as error:
            at = error.position if isinstance(error.position, int) else 0
            message = f"the character U+{ord(text[at]):04X} may not stand in YAML"
            raise self.stop("not-text", message, at, at + 1) from None
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from None
        except (ValueError, OverflowError):
            # The parser's own conversions: an escape beyond Unicode, or a version of YAML of thousands of digits.
            found = _NO_CHARACTER.search(text)
            start, end = found.span() if found else (0, 0)
            message = f"`{text[start:end]}` is no character" if found else "not YAML: a number too large"
            raise self.stop("yaml", message, start, end) from None
        if root is None:
            raise self.stop("empty", "the file holds nothing", 0, 0)
        return root

    def _syntax(self, error: yaml.MarkedYAMLError) -> RulesetError:
        text = self.source.text
        context, problem = error.context or "", error.problem or ""
        unclosed = "end of stream" in problem or "<stream end>" in problem
        mark = error.problem_mark
        if mark is None or unclosed:
            mark = error.context_mark
        at = min(mark.index, len(text)) if mark is not None else 0
        before = text[text.rfind("\n", 0, at) + 1 : at]
        message = _in_words(": ".join(part for part in (context, problem) if part))
        hint = next((hint for pattern, hint in _SYNTAX_HINTS if re.search(pattern, message)), "")
        if "flow" in context and not unclosed:
            hint = _QUOTE_IT
        elif "flow" in context:
            hint = "close the brackets"
        elif "\t" in before or text[at : at + 1] == "\t":
            hint = "write spaces, not tabs"
        elif re.search(r"[\"'\]}] *$", before):
            hint = "an expression that begins with a quote or a bracket is quoted as a whole: `'\"text\" == field'`"
        return self.stop("yaml", f"not YAML: {message}", at, at + 1, hint)

    def _events(self) -> Node | None:
        stack: list[_Open] = []
        root: Node | None = None
        nodes = documents = 0
        for event in yaml.parse(self.source.text, Loader=yaml.SafeLoader):
            if event.start_mark is None or event.end_mark is None:
                continue
            start, end = event.start_mark.index, event.end_mark.index
            span = Span(self.source, start, end)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.stop("documents", "a second document in one file", start, end, "remove `---`")
            elif isinstance(event, yaml.AliasEvent):
                message = f"aliases (`*{shorten(event.anchor or '', 40)}`) are refused"
                raise self.stop("alias", message, start, end, "write the value out")
            elif isinstance(event, yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent):
                nodes += 1
                if nodes > MOST_NODES:
                    message = f"the file has more than {MOST_NODES:,} keys and values"
                    raise self.stop("too-large", message, start, end, "split the ruleset with `include:`")
                self._decorations(event, span)
                if isinstance(event, yaml.ScalarEvent):
                    root = self._add(stack, self._scalar(event, span), root)
                elif len(stack) >= MOST_DEPTH:
                    raise self.stop("too-deep", f"nested deeper than {MOST_DEPTH} levels", start, start + 1)
                else:
                    mapping = isinstance(event, yaml.MappingStartEvent)
                    stack.append(_Open(start, bool(event.flow_style), mapping))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                root = self._add(stack, self._close(stack.pop(), end), root)
        return root

    def _add(self, stack: list[_Open], node: Node, root: Node | None) -> Node | None:
        """Put a node into the collection that is open; without one it is the root."""
        if not stack:
            return node
        stack[-1].children.append(node)
        return root

    def _decorations(
        self, event: yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent, span: Span
    ) -> None:
        if event.anchor is not None:
            message = f"anchors (`&{shorten(event.anchor, 40)}`) are refused"
            self.problem("anchor", message, span, "write the value out where it is needed")
        if event.tag is not None:
            written = (span.text.split() or [event.tag])[0]
            name = written.removeprefix("!")
            negated = isinstance(event, yaml.ScalarEvent) and name.isidentifier()
            hint = f"remove it, or write `not {name}`" if negated else "remove it"
            self.problem("tag", f"tags (`{shorten(written, 40)}`) are refused", span, hint)

    def _scalar(self, event: yaml.ScalarEvent, span: Span) -> Scalar:
        scalar = Scalar(event.value, event.style is not None, span)
        decorated = event.anchor is not None or event.tag is not None
        wrong = NO_TEXT.search(event.value)
        if wrong:
            message = f"the character U+{ord(wrong.group()):04X} is no text"
            self.problem("not-text", message, scalar.within(*wrong.span()))
        elif not decorated and not self._surprises(scalar):
            return scalar
        return replace(scalar, refused=True)

    def _surprises(self, scalar: Scalar) -> bool:
        """Whether YAML 1.1 reads an unquoted word as something that it does not look like; a problem if so."""
        found = None if scalar.quoted else _SURPRISE.fullmatch(scalar.text)
        if found is None:
            return False
        quote = f'quote it: `"{shorten(scalar.text, 40)}"`'
        if found["boolean"]:
            truth = "true" if scalar.text.lower() in ("yes", "on", "true") else "false"
            meaning, hint = "a boolean", f"{quote}; where a boolean is meant write `{truth}`"
        elif found["nothing"]:
            meaning, hint = "nothing", f"{quote}; where nothing is meant write `null`"
        elif found["sixty"]:
            meaning, hint = "a number to base 60", quote
        else:
            meaning, hint = "a number to another base", "write it without the leading zero, or quote it"
        self.problem("yaml-1.1", f"YAML 1.1 reads `{shorten(scalar.text, 40)}` as {meaning}", scalar.span, hint)
        return True

    def _close(self, opened: _Open, end: int) -> Node:
        span = Span(self.source, opened.start, end)
        if not opened.mapping:
            return Sequence(tuple(opened.children), span)
        pairs: list[tuple[Scalar, Node]] = []
        seen: dict[str, Scalar] = {}
        children = iter(opened.children)
        cut, partial = 0, False
        for key, value in zip(children, children, strict=True):
            if not isinstance(key, Scalar):
                self.problem("key", "a key must be a word", key.span)
                partial = True
            elif key.text == "<<" and not key.quoted:
                self.problem("merge", "merge keys (`<<`) are refused", key.span, "write the keys out")
                partial = True
            elif opened.flow and self._is_bare(key, value):
                before = pairs[-1][1] if pairs else None
                if cut > 0:
                    cut += _open_brackets(key.text)
                elif isinstance(before, Scalar):
                    pairs[-1] = (pairs[-1][0], self._cut_before(key, before))
                else:
                    hint = f"write `{shorten(key.text, 40)}: {{}}`, or leave `{{ }}` out"
                    self.problem("shape", f"`{shorten(key.text, 40)}` has no value", key.span, hint)
                    pairs.append((key, Scalar("", False, value.span, refused=True)))
            elif key.text in seen:
                message = f"the key `{shorten(key.text, 40)}` stands here a second time"
                related = (("first here", seen[key.text].span),)
                self.problems.append(Problem("duplicate-key", message, key.span, related=related))
            else:
                seen[key.text] = key
                cut = 0
                if opened.flow and isinstance(value, Scalar) and not value.quoted:
                    cut = _open_brackets(value.text)
                    value = self._cut_open(value) if cut > 0 else value
                pairs.append((key, value))
        return Mapping(tuple(pairs), span, partial)

    def _is_bare(self, key: Scalar, value: Node) -> bool:
        """Whether a key inside `{ }` has neither a value nor a colon: most often what follows a comma."""
        written = self.source.text[key.span.end : value.span.end]
        return isinstance(value, Scalar) and value.is_null and value.text == "" and ":" not in written

    def _cut_before(self, key: Scalar, value: Scalar) -> Scalar:
        """The value before a bare key, which the comma has cut."""
        message = f"inside `{{ }}` a comma ends what stands before `{shorten(key.text, 40)}`"
        hint = "quote the whole, or write it below instead of inside `{ }`"
        if not value.refused:
            self.problem("comma", message, key.span, hint)
        return replace(value, refused=True)

    def _cut_open(self, value: Scalar) -> Scalar:
        """A value inside `{ }` that ends at a comma with its brackets open."""
        message = f"inside `{{ }}` a comma ends the expression `{shorten(value.text, 40)}`"
        hint = "quote the expression, or write it below instead of inside `{ }`"
        self.problem("comma", message, value.span, hint)
        return replace(value, refused=True)


def _open_brackets(text: str) -> int:
    if len(text) > MOST_PLAIN:
        return 0
    plain = re.sub(r'"(\\.|[^"\\])*"', "", text)
    return plain.count("(") + plain.count("[") - plain.count(")") - plain.count("]")


def _in_words(message: str) -> str:
    """A message of YAML's parser as a message of ours."""

    def word(found: re.Match[str]) -> str:
        quoted = found[1] if found[1] is not None else found[2]
        return _WORDS.get(quoted, f"`{shorten(quoted, 40)}`")

    plain = re.sub(r"<[a-z ]+>", lambda found: _WORDS.get(found[0], found[0]), _QUOTED.sub(word, message))
    for theirs, ours in _CONTEXTS.items():
        plain = plain.replace(theirs, ours)
    return plain.rstrip(".")


def read(source: Source) -> tuple[Node, Problems]:
    """Read a YAML text into nodes.

    Parameters
    ----------
    source : Source
        The text and its name.

    Returns
    -------
    tuple of Node and Problems
        The root, and what is wrong with the text but does not hide the rest.

    Raises
    ------
    RulesetError
        Where the text is no YAML at all, holds an alias, or is too large or too deep; or has too many problems.

    Examples
    --------
    >>> node, problems = read(Source("example", "a: {b: yes}"))
    >>> [problem.code for problem in problems]
    ['yaml-1.1']
    """
    reader = _Reader(source)
    root = reader.document()
    return root, reader.problems
