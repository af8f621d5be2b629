"""The shapes of nodes: mappings, words, lists and titles where they are expected, else a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from ..facts import Titles
from ..ground.problems import Problem, Span, closest, listing, quoted, shorten
from .expressions import Written, check_name
from .expressions import parse as parse_expression
from .nodes import Mapping, Node, Scalar, Sequence

BARE_NAME = re.compile(r"[\w-]{1,80}")
"""What a ruleset, vocabulary or calendar may be named: no path, no ending."""

LANGUAGES = ("zh", "en")

_Any = TypeVar("_Any")


class Shapes:
    """Takes nodes apart and records what is not of the expected shape.

    Of a scalar that has a problem already nothing more is said; `refusals` counts those too, so that a part is whole
    where the number has not changed.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.passed_over = 0

    @property
    def refusals(self) -> int:
        """How many problems there are, those recorded when the text was read among them."""
        return len(self.problems) + self.passed_over

    def problem(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """Record a problem."""
        self.problems.append(Problem(code, message, span, hint))

    def is_refused(self, node: Node | None) -> bool:
        """Whether the node has a problem already, which counts here."""
        refused = isinstance(node, Scalar) and node.refused
        self.passed_over += refused
        return refused

    def mapping(self, node: Node | None, what: str) -> Mapping | None:
        """The node as a mapping; YAML's null is an empty one."""
        if node is None or isinstance(node, Mapping):
            return node
        if self.is_refused(node):
            return None
        if isinstance(node, Scalar) and node.is_null:
            return Mapping((), node.span)
        self.problem("shape", f"{what} must be a mapping of keys and values", node.span)
        return None

    def scalar(self, node: Node | None, what: str) -> Scalar | None:
        """The node as a word or expression."""
        if node is None or self.is_refused(node):
            return None
        if isinstance(node, Scalar) and not node.is_null:
            return node
        if isinstance(node, Scalar):
            self.problem("shape", f"{what} has no value", node.span)
        elif isinstance(node, Sequence):
            self.problem("shape", f"{what} must be one word or expression, not a list", node.span)
        else:
            message = f"{what} must be one word or expression, not a mapping"
            self.problem("shape", message, node.span, "an expression with `: ` or `{ }` in it is quoted")
        return None

    def items(self, node: Node | None) -> tuple[Node, ...]:
        """The items of a list, or the one node that stands for a list of it."""
        if node is None:
            return ()
        return node.items if isinstance(node, Sequence) else (node,)

    def keys(self, mapping: Mapping, known: Iterable[str], what: str) -> frozenset[str]:
        """See that the keys of a mapping are known; give those that the unknown or refused ones may be meant for."""
        names = tuple(known)
        meant = set(names) if mapping.partial else set()
        for key, _ in mapping:
            if self.is_refused(key):
                meant.update(names)
            elif key.text not in names:
                near = closest(key.text, names)
                hint = f"did you mean `{near}`?" if near else f"known are {listing(names, 20)}"
                self.problem("unknown-key", f"unknown key `{shorten(key.text, 40)}` in {what}", key.span, hint)
                meant.add(near)
        return frozenset(meant)

    def name(self, scalar: Scalar, what: str) -> str | None:
        """The name that a scalar gives, if it may be one."""
        return None if self.is_refused(scalar) else check_name(scalar, what, self.problems)

    def bare_name(self, scalar: Scalar, what: str) -> None:
        """See that a scalar is a bare name of a file."""
        if not BARE_NAME.fullmatch(scalar.text):
            message = f"{quoted(scalar.text)} is no bare name of a {what}"
            self.problem(
                "name", message, scalar.span, "a bare name has letters, digits, `-` and `_`, at most 80 of them"
            )

    def titles(self, node: Node | None, what: str) -> Titles:
        """Texts by language; one that stands alone is English."""
        if node is None or self.is_refused(node):
            return ()
        if isinstance(node, Scalar):
            return (("en", node.text),) if not node.is_null else ()
        mapping = self.mapping(node, what)
        if mapping is None:
            return ()
        self.keys(mapping, LANGUAGES, what)
        found = []
        for key, value in mapping:
            if key.text in LANGUAGES:
                scalar = self.scalar(value, f"the {key.text} text of {what}")
                if scalar is not None:
                    found.append((key.text, scalar.text))
        return tuple(found)

    def written(self, node: Node | None, what: str, start: str = "expression") -> Written | None:
        """The node as an expression, a selection or kinds."""
        scalar = self.scalar(node, what)
        return None if scalar is None else parse_expression(scalar, start, self.problems)

    def at_most(self, parts: Iterable[_Any], most: int, what: str, span: Span) -> tuple[_Any, ...]:
        """The parts, if they are not too many; else the first of them and a problem."""
        every = tuple(parts)
        if len(every) > most:
            self.problem("too-large", f"{what}: at most {most:,}, not {len(every):,}", span)
        return every[:most]
