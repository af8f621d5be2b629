"""What is wrong, and where: sources, spans, problems and the errors that carry them.

One problem type serves every check of the language. Problems are collected, sorted by place and raised once,
as a `RulesetError`; `render` shows each with its line, the offending text underlined and a hint.
"""

from __future__ import annotations

import difflib
import itertools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A text that rules or cases were read from, with the name to show for it."""

    name: str
    text: str

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column (both from 1) of a character offset."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - self.text.rfind("\n", 0, offset)

    def line_at(self, offset: int) -> str:
        """The line in which a character offset lies, without its line end."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: from the character at `start` up to, not including, the one at `end`."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line where the span starts, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column where the span starts, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """What the span covers."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{shorten(self.source.name, 300)}:{line}:{column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a ruleset or a case file.

    `code` is stable and can be searched for; `message` is one sentence, lower case, without a full stop; `hint` says
    what to write instead; `related` are other places that belong to it; a `warning` does not stop a ruleset.
    """

    code: str
    message: str
    span: Span
    hint: str = ""
    related: tuple[tuple[str, Span], ...] = ()
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.span}: {'warning' if self.warning else 'error'}: {self.message} [{self.code}]"


class StrikeoutError(Exception):
    """The base of every error that this library raises for its user's data."""


class RulesetError(StrikeoutError):
    """A ruleset, or a case file, that cannot be used: all its problems, sorted by place.

    Attributes
    ----------
    problems : tuple of Problem
        Every problem found, each with its position; warnings are among them.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sort_problems(problems)
        super().__init__(render(self.problems))


class FactError(StrikeoutError):
    """Facts that cannot be used: the file, the line, the value and what was expected."""


class RunError(StrikeoutError):
    """A run that cannot be made, or whose answer cannot be given (semantics 11)."""


MOST_PROBLEMS = 100
MOST_CANDIDATES = 500
MOST_LETTERS = 120
MOST_SHOWN = 120


class Problems(list[Problem]):
    """Problems as they are found, until there are more errors than anybody reads."""

    def append(self, problem: Problem) -> None:
        """Add a problem.

        Raises
        ------
        RulesetError
            Where it is one error too many: all so far, and one that says so.
        """
        super().append(problem)
        if problem.warning or len(self) <= MOST_PROBLEMS:
            return
        if sum(not found.warning for found in self) > MOST_PROBLEMS:
            message = f"there are more than {MOST_PROBLEMS} errors; what follows was not checked"
            raise RulesetError([*self, Problem("too-many", message, problem.span)])


def sort_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems without repetition, by file, place and code."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda p: (p.span.source.name, p.span.start, p.span.end, p.code, p.message)))


def closest(word: str, known: Iterable[str]) -> str:
    """The nearest of the known words, or nothing where none is near or they are too many to tell.

    >>> closest("uphled", ["upheld", "notice"])
    'upheld'
    """
    words = list(itertools.islice(known, MOST_CANDIDATES + 1))
    if len(words) > MOST_CANDIDATES or len(word) > MOST_LETTERS:
        return ""
    found = difflib.get_close_matches(word, sorted(set(words)), n=1, cutoff=0.6)
    return found[0] if found else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known words, or nothing where none is near.

    >>> nearest("uphled", ["upheld", "notice"])
    'did you mean `upheld`?'
    """
    found = closest(word, known)
    return f"did you mean `{shorten(found, 200)}`?" if found else ""


def listing(words: Iterable[str], most: int = 12) -> str:
    """Words in backticks, the first few of many.

    >>> listing(["a", "b"])
    '`a`, `b`'
    """
    every = list(words)
    shown = ", ".join(f"`{shorten(w, 200)}`" for w in every[:most])
    return shown + (f" and {len(every) - most} more" if len(every) > most else "")


def shorten(text: str, width: int = 80) -> str:
    """A text that fits into a message: its line ends as spaces, its end cut, what cannot be shown escaped."""
    flat = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: width + 1])
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def quoted(text: str) -> str:
    """A text of the user's in backticks, short enough for a message; of nothing that it is nothing.

    >>> quoted("upheld"), quoted("")
    ('`upheld`', 'an empty text')
    """
    return f"`{shorten(text, 40)}`" if text else "an empty text"


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _excerpt(span: Span) -> list[str]:
    """The line where a span starts, or the part of a long one around it, and the text underlined."""
    line, column = span.source.position(span.start)
    text = span.source.line_at(span.start)
    start = column - 1
    end = max(min(start + (span.end - span.start), len(text)), start + 1)
    shift = max(0, start - 60) if len(text) > MOST_SHOWN else 0
    shown = _visible(text[shift : shift + MOST_SHOWN])
    before, marked = shown[: start - shift], shown[start - shift : end - shift]
    gutter = f"{line:>5} | "
    return [
        gutter + shown.rstrip(),
        " " * (len(gutter) - 2) + "| " + " " * _width(before) + "^" * max(1, _width(marked)),
    ]


def _visible(text: str) -> str:
    plain = text.replace("\t", " ")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in plain)


def render(problems: Iterable[Problem]) -> str:
    """Problems as text for a person: place, message, the line with the text underlined, hint and related places."""
    blocks = []
    for problem in problems:
        lines = [str(problem), *_excerpt(problem.span)]
        if problem.hint:
            lines.append(f"      = {problem.hint}")
        for label, span in problem.related:
            lines.append(f"      = {label}: {span}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
