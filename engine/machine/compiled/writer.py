"""Writing code: lines, blocks, fresh names, and what has already been computed where."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operand:
    """Code of a value: a pure expression, and the condition under which it is not missing (empty: always)."""

    code: str
    known: str = ""


class Names:
    """Names that are given once only."""

    def __init__(self, reserved: set[str]) -> None:
        self._taken = set(reserved)
        self._next: dict[str, int] = {}

    def fresh(self, hint: str) -> str:
        """A name like the hint that nothing else has."""
        name = re.sub(r"\W", "_", hint, flags=re.ASCII).strip("_") or "value"
        name = f"n{name}" if name[0].isdigit() else name
        number = self._next.get(name, 1)
        found = name if number == 1 else f"{name}_{number}"
        while found in self._taken or keyword.iskeyword(found):
            number += 1
            found = f"{name}_{number}"
        self._next[name] = number + 1
        self._taken.add(found)
        return found


class Writer:
    """Lines of code under construction. A block also bounds what has been computed in it."""

    def __init__(self, names: Names) -> None:
        self.lines: list[str] = []
        self.names = names
        self.depth = 0
        self.scopes: list[dict[Any, Any]] = [{}]

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.depth + text)

    def comment(self, text: str) -> None:
        """Write a comment; control characters of the user's text are shown escaped."""
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
        self.line(f"# {shown}")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A line that opens a block, and the block."""
        self.line(head)
        before = len(self.lines)
        self.depth += 1
        self.scopes.append({})
        try:
            yield
        finally:
            if len(self.lines) == before or all(line.lstrip().startswith("#") for line in self.lines[before:]):
                self.line("pass")
            self.scopes.pop()
            self.depth -= 1

    @contextmanager
    def aside(self, deeper: int = 1) -> Iterator[list[str]]:
        """Lines that are written to a list, to be put in later if at all."""
        outer, self.lines = self.lines, []
        lines = self.lines
        self.depth += deeper
        self.scopes.append({})
        try:
            yield lines
        finally:
            self.scopes.pop()
            self.depth -= deeper
            self.lines = outer

    def find(self, key: Any) -> Any:
        """What was remembered under a key where this point can rely on it."""
        for scope in reversed(self.scopes):
            if key in scope:
                return scope[key]
        return None

    def remember(self, key: Any, value: Any) -> None:
        """Remember what has been computed, as far as the block reaches."""
        self.scopes[-1][key] = value


def both(*conditions: str) -> str:
    """Conditions that must all hold, as one; empty ones always do."""
    needed = list(dict.fromkeys(c for c in conditions if c))
    return " and ".join(needed) if len(needed) < 2 else "(" + " and ".join(needed) + ")"


def bare(code: str) -> str:
    """Code without brackets around the whole; those of a tuple stay."""
    if not code.startswith("(") or not code.endswith(")"):
        return code
    depth, quote = 0, ""
    for place, letter in enumerate(code):
        if quote:
            quote = "" if letter == quote and code[place - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and place < len(code) - 1:
                return code
            if depth == 1 and letter == ",":
                return code
    return code if code == "()" else code[1:-1]
