"""Expressions as written: text to a tree of the grammar, with the place of every part and errors a person can use."""

from __future__ import annotations

import functools
import importlib.resources
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ..ground.problems import Problem, Span, listing, quoted, shorten
from .nodes import Scalar

MOST_CHARACTERS = 4_000
MOST_DEPTH = 60

RESERVED = frozenset(
    "and or not if else in where by within since this inclusive true false at kind known_at seq rule".split()
)
"""Words that no kind, field, parameter, `let` or alias may be named."""

_SHOWN = {
    "COMPARATOR": "a comparison",
    "SUM_SIGN": "`+` or `-`",
    "PRODUCT_SIGN": "`*`, `//` or `%`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "NAME": "a name",
    "INTEGER": "a literal",
    "TIME": "a literal",
    "PERIOD": "a literal",
    "DURATION": "a literal",
    "STRING": "a literal",
    "TRUE": "a literal",
    "FALSE": "a literal",
    "$END": "the end",
}
_HINTS = (
    ("=", "write `==` to compare"),
    ("&", "write `and`"),
    ("|", "write `or`"),
    ("!", "write `not`, or `!=`"),
    ("'", 'put text into double quotes: `"text"`'),
    ("/", "write `//`: a division that floors"),
    ("{", "an expression has no `{ }`"),
    ("^", "there is no such operator"),
)
_NUMBER = re.compile(r"[0-9][\w.:]*")
_UNIT = re.compile(r"(second|minute|hour|day|week|sec|min|hr|h|m|s|d|w)s?$", re.IGNORECASE)
_MARKS = {"\u201c": '"', "\u201d": '"', "\u3002": ".", "\u3001": ",", "\u2212": "-", "\u00d7": "*", "\u00f7": "//"}
_MARKS |= {"\u2264": "<=", "\u2265": ">=", "\u2260": "!="}
_NAME = re.compile(r"[^\W\d]\w*")


Part = Tree[Token] | Token
"""A part of an expression as written."""


@dataclass(frozen=True, slots=True)
class Written:
    """An expression as written: its tree and the scalar that it stands in."""

    tree: Tree[Token]
    scalar: Scalar

    def span(self, part: Part | None = None) -> Span:
        """Where a part of the tree stands in the source; without a part, the whole."""
        if part is None:
            return self.scalar.within(0, len(self.scalar.text))
        if isinstance(part, Token):
            return self.scalar.within(part.start_pos or 0, part.end_pos or 0)
        if part.meta.empty:
            return self.scalar.within(0, len(self.scalar.text))
        return self.scalar.within(part.meta.start_pos, part.meta.end_pos)


def trees(tree: Tree[Token]) -> list[Tree[Token]]:
    """The parts of a part that are no tokens."""
    return [child for child in tree.children if isinstance(child, Tree)]


@functools.cache
def _grammar() -> Lark:
    text = importlib.resources.files(__package__).joinpath("expression.lark").read_text("utf-8")
    starts = ["expression", "selection", "kinds"]
    return Lark(text, parser="lalr", start=starts, propagate_positions=True, maybe_placeholders=False)


def _depth(tree: Tree[Any]) -> int:
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in node.children if isinstance(child, Tree)]
        if deepest > MOST_DEPTH:
            break
    return deepest


def _explain(scalar: Scalar, error: UnexpectedInput) -> Problem:
    text = scalar.text
    at = min(error.pos_in_stream or 0, len(text))
    wanted: set[str] = set()
    found = ""
    end = at + 1
    if isinstance(error, UnexpectedToken):
        wanted = set(error.expected or ())
        if error.token.type == "$END":
            found, at, end = "end", max(len(text.rstrip()) - 1, 0), len(text.rstrip())
        else:
            found = f"`{shorten(str(error.token), 40)}`"
            at, end = error.token.start_pos or 0, error.token.end_pos or 0
    elif isinstance(error, UnexpectedCharacters):
        wanted = set(error.allowed or ())
        number = _NUMBER.match(text, at)
        end = number.end() if number else end
        found = f"`{shorten(text[at:end], 40)}`"
    if text.count("(", 0, at) <= text.count(")", 0, at):
        wanted.discard("RPAR")
    shown = sorted({_SHOWN.get(name, f"`{name.lower()}`") for name in wanted})
    expected = "a value" if "a literal" in shown else ", ".join(shown) if len(shown) <= 6 else ""
    chained = isinstance(error, UnexpectedToken) and error.token.type == "COMPARATOR"
    hint = "comparisons do not chain: write `a < b and b < c`" if chained and expected != "a value" else ""
    if not hint and found != "end":
        hint = _hint(text, at, end)
    hint = hint or _comment_hint(scalar)
    if not hint and (found == "`)`" or (found == "end" and "RPAR" in wanted)):
        hint = "look at the brackets"
    message = f"unexpected {found}" + (f", expected {expected}" if expected else "")
    return Problem("syntax", message, scalar.within(at, end), hint)


def _hint(text: str, at: int, end: int) -> str:
    """What to write instead of the text from `at` to `end`."""
    word, before = text[at:end], text[:at].rstrip()
    plain = _MARKS.get(word) or unicodedata.normalize("NFKC", word)
    if plain != word and plain.isascii():
        return f"write `{plain}`"
    if word in ("where", "by", "within", "since", "this"):
        return "after a kind stand `where`, `by` and, in an aggregate, one window, in this order"
    if re.match(r"[0-9]+\.[0-9]|\.[0-9]", text[at : at + 40]):
        return "there are no floating-point numbers: a share is written `count(a) * 100 >= 5 * count(b)`"
    if word[:1].isdigit() or (re.search(r"[0-9]$", before) and word.isidentifier() and _UNIT.match(word)):
        return "durations are written `72h` `30m` `15s` `3d` `2w`, periods `3 workdays` `5 dates` `2 months` `1 year`"
    if word in ("is", "equals"):
        return "write `==` to compare"
    if word.lower() in ("and", "or", "not", "in", "if", "else") and not word.islower():
        return f"write `{word.lower()}`"
    if text[max(at - 1, 0) : at + 1] == "<>":
        return "write `!=`"
    return next((hint for start, hint in _HINTS if text.startswith(start, at)), "")


def _comment_hint(scalar: Scalar) -> str:
    """A hint where ` #` has ended an unquoted expression."""
    rest = scalar.span.source.text[scalar.span.end : scalar.span.end + 200]
    if not scalar.quoted and re.match(r"[ \t]+#", rest) and scalar.text.count('"') % 2:
        return "` #` begins a comment: quote the whole expression"
    return ""


def parse(scalar: Scalar, start: str, problems: list[Problem]) -> Written | None:
    """Parse a scalar's text.

    Parameters
    ----------
    scalar : Scalar
        The text and its place.
    start : str
        `expression`, `selection` or `kinds`.
    problems : list of Problem
        Where a problem is added.

    Returns
    -------
    Written or None
        The tree, or nothing where there was a problem.

    Examples
    --------
    >>> from strikeout.ground.problems import Source, Span
    >>> problems = []
    >>> source = Source("example", "a = b")
    >>> parse(Scalar("a = b", False, Span(source, 0, 5)), "expression", problems)
    >>> problems[0].hint
    'write `==` to compare'
    """
    hint = "name parts of it under `let:`"
    if len(scalar.text) > MOST_CHARACTERS:
        message = f"an expression has at most {MOST_CHARACTERS:,} characters; this one has {len(scalar.text):,}"
        problems.append(Problem("too-large", message, scalar.span, hint))
        return None
    too_deep = Problem("too-deep", f"an expression has at most {MOST_DEPTH} levels", scalar.span, hint)
    if _nesting(scalar.text) > MOST_DEPTH:
        problems.append(too_deep)
        return None
    try:
        tree = _grammar().parse(scalar.text, start=start)
    except UnexpectedInput as error:
        problems.append(_explain(scalar, error))
        return None
    written = Written(tree, scalar)
    if _depth(tree) > MOST_DEPTH:
        problems.append(too_deep)
        return None
    return written


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]":
            depth -= 1
    return deepest


def check_name(scalar: Scalar, what: str, problems: list[Problem]) -> str | None:
    """The name that a scalar gives to a kind, field, parameter, `let` or alias, if it may be one."""
    name = scalar.text
    if not (name.isidentifier() and _NAME.fullmatch(name)) or len(name) > 80:
        message = f"{quoted(name)} is no name for {what}"
        hint = "a name has letters, digits and `_`, at most 80 of them, and does not begin with a digit"
        problems.append(Problem("name", message, scalar.span, hint))
        return None
    if name in RESERVED:
        message = f"`{name}` is a word of the language and no name for {what}"
        problems.append(Problem("name", message, scalar.span, f"reserved are {listing(sorted(RESERVED), 30)}"))
        return None
    return name
